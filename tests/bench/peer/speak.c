#include "speak.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frame.h"
#include "websocket/handshake.h"

enum { BUFFER_SIZE = 256 * 1024, BATCH_SIZE = 64 * 1024 };

static char buffer[BUFFER_SIZE + 1], answers[BUFFER_SIZE];

/* ---- Flooding ---- */

static void fill_payload(char *payload, size_t size, int json) {
  memset(payload, 'x', size);
  if (json && size >= 10) {
    memcpy(payload, "{\"pad\":\"", 8);
    memcpy(payload + size - 2, "\"}", 2);
  }
}

/* A batch holds as many frames as 64 KiB do, and at least one. */
static void prepare_flood(struct speaker *speaker, size_t size, int json) {
  uint8_t head[BEAM__FRAME_HEAD_MAX];
  size_t head_len = beam__frame_head(head, json ? BEAM__TEXT : BEAM__BINARY, 1, size, NULL), i;
  speaker->frame_len = head_len + size;
  speaker->batch_frames = speaker->frame_len < BATCH_SIZE ? BATCH_SIZE / speaker->frame_len : 1;
  speaker->batch = malloc(speaker->batch_frames * speaker->frame_len);
  for (i = 0; i < speaker->batch_frames; i++) {
    char *frame = speaker->batch + i * speaker->frame_len;
    memcpy(frame, head, head_len);
    fill_payload(frame + head_len, size, json);
  }
}

static int flood(struct speaker *speaker) {
  for (;;) {
    if (speaker->batch_at == speaker->batch_end) {
      size_t frames = (size_t)speaker->left < speaker->batch_frames ? (size_t)speaker->left : speaker->batch_frames;
      if (!frames)
        return 0;
      speaker->left -= (long)frames;
      speaker->batch_at = 0;
      speaker->batch_end = frames * speaker->frame_len;
    }
    long done = link_write(&speaker->link, speaker->batch + speaker->batch_at, speaker->batch_end - speaker->batch_at);
    if (done <= 0)
      return done < 0 ? -1 : 1;
    speaker->batch_at += (size_t)done;
  }
}

/* ---- The opening handshake ---- */

static void send_frame(struct speaker *speaker, enum beam__opcode opcode, const char *text) {
  uint8_t frame[64];
  size_t len = beam__frame_head(frame, opcode, 1, strlen(text), NULL);
  memcpy(frame + len, text, strlen(text));
  link_write_all(&speaker->link, frame, len + strlen(text));
}

static int begin(struct speaker *speaker, const char *path) {
  size_t size;
  if (sscanf(path, "/sink/%ld", &speaker->left) == 1)
    speaker->sinks = 1;
  else if (sscanf(path, "/flood/%zu/%ld", &size, &speaker->left) == 2)
    prepare_flood(speaker, size, 0);
  else if (sscanf(path, "/json/%zu/%ld", &size, &speaker->left) == 2)
    prepare_flood(speaker, size, 1);
  else if (!strcmp(path, "/resumed"))
    send_frame(speaker, BEAM__TEXT, speaker->link.tls && SSL_session_reused(speaker->link.tls) ? "1" : "0");
  return speaker->batch ? flood(speaker) : 0;
}

/* The bytes of the request, 0 if it is not whole. */
static size_t answer_upgrade(struct speaker *speaker, char *request, char *path) {
  char answer[256], accept[BEAM__ACCEPT_SIZE], key[BEAM__KEY_SIZE] = "";
  const char *end = strstr(request, "\r\n\r\n"), *line = strcasestr(request, "sec-websocket-key:");
  if (!end)
    return 0;
  sscanf(request, "GET %127s", path);
  if (line)
    sscanf(line + 18, " %24s", key);
  beam__handshake_accept(key, accept);
  snprintf(answer, sizeof answer,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
           "%s\r\n\r\n",
           accept);
  link_write_all(&speaker->link, answer, strlen(answer));
  speaker->open = 1;
  return (size_t)(end + 4 - request);
}

/* ---- Frames that come ---- */

/* One frame of a client. Adds what is answered to `out`, returns its length; negative: the connection is over. */
static long answer_frame(struct speaker *speaker, uint8_t *frame, size_t head_len, size_t len, uint8_t *out) {
  enum beam__opcode opcode = frame[0] & 15;
  int control = opcode >= BEAM__CLOSE;
  if (!control && speaker->sinks) {
    if (--speaker->left == 0)
      send_frame(speaker, BEAM__TEXT, "done");
    return 0;
  }
  size_t out_len = beam__frame_head(out, opcode == BEAM__PING ? BEAM__PONG : opcode, 1, len, NULL);
  beam__mask(out + out_len, frame + head_len, len, frame + head_len - 4);
  if (opcode == BEAM__CLOSE) {
    link_write_all(&speaker->link, out, out_len + len);
    return -1;
  }
  return opcode == BEAM__PONG ? 0 : (long)(out_len + len);
}

/* All whole frames of `len` bytes; what they are answered with goes out at once. The bytes used, negative: it is over.
 */
static long answer_frames(struct speaker *speaker, uint8_t *bytes, size_t len) {
  size_t at = 0, out_len = 0;
  while (len - at >= 6) {
    uint8_t *frame = bytes + at;
    size_t head_len = 6, size = frame[1] & 0x7f;
    if (size == 126) {
      size = (size_t)frame[2] << 8 | frame[3];
      head_len = 8;
    } else if (size == 127) {
      size = len - at >= 14 ? (size_t)frame[6] << 24 | (size_t)frame[7] << 16 | (size_t)frame[8] << 8 | frame[9] : len;
      head_len = 14;
    }
    if (len - at < head_len + size)
      break;
    long added = answer_frame(speaker, frame, head_len, size, (uint8_t *)answers + out_len);
    if (added < 0)
      return -1;
    out_len += (size_t)added;
    at += head_len + size;
  }
  link_write_all(&speaker->link, answers, out_len);
  return (long)at;
}

/* ---- All of it ---- */

static void keep(struct speaker *speaker, const char *bytes, size_t len) {
  free(speaker->rest);
  speaker->rest = len ? malloc(len) : NULL;
  speaker->rest_len = len;
  if (len)
    memcpy(speaker->rest, bytes, len);
}

static int hear(struct speaker *speaker) {
  char path[128] = "";
  size_t len = speaker->rest_len, used = 0;
  memcpy(buffer, speaker->rest ? speaker->rest : buffer, len);
  long came = link_read(&speaker->link, buffer + len, BUFFER_SIZE - len);
  if (came <= 0)
    return (int)came;
  len += (size_t)came;
  buffer[len] = 0;
  if (!speaker->websocket) {
    link_write_all(&speaker->link, buffer, len);
    return 0;
  }
  if (!speaker->open)
    used = answer_upgrade(speaker, buffer, path);
  if (*path && begin(speaker, path) < 0)
    return -1;
  if (speaker->open) {
    long frames = answer_frames(speaker, (uint8_t *)buffer + used, len - used);
    if (frames < 0)
      return -1;
    used += (size_t)frames;
  }
  keep(speaker, buffer + used, len - used);
  return 1;
}

int speak(struct speaker *speaker) {
  int more;
  do
    more = hear(speaker);
  while (more > 0 && speaker->link.tls && SSL_pending(speaker->link.tls));
  return more < 0 ? -1 : speaker->batch ? flood(speaker) : 0;
}

void speaker_free(struct speaker *speaker) {
  link_close(&speaker->link);
  free(speaker->rest);
  free(speaker->batch);
  free(speaker);
}
