#include "carrier/output.h"

#include <stdlib.h>
#include <string.h>

#include "net/socket.h"

enum {
  JOIN_MAX = 65536,
  COMPACT_MIN = 65536, /* bytes at the front of the queue that are worth moving the rest for */
  SPARE_MAX = 262144,
  LARGE_MAX = 1048576
};

/* ---- Memory ---- */

static void end_buffers(beam__owned *owned) {
  struct beam__buffers *buffers = BEAM__CONTAINER(owned, struct beam__buffers, owned);
  buffers->ended = 1;
  beam__bytes_free(&buffers->spare[0]);
  beam__bytes_free(&buffers->spare[1]);
  beam__bytes_free(&buffers->large);
}

int beam__buffers_make(beam_ctx *ctx) {
  struct beam__buffers *buffers = ctx->buffers;
  if (buffers)
    return 1;
  buffers = malloc(sizeof *buffers);
  if (!buffers)
    return 0;
  buffers->ended = 0;
  memset(buffers->spare, 0, sizeof buffers->spare);
  memset(&buffers->large, 0, sizeof buffers->large);
  beam__own(ctx, &buffers->owned, end_buffers);
  ctx->buffers = buffers;
  return 1;
}

void beam__buffers_take_large(beam_ctx *ctx, beam__bytes *bytes) {
  struct beam__buffers *buffers = ctx->buffers;
  if (bytes->at || !buffers)
    return;
  *bytes = buffers->large;
  memset(&buffers->large, 0, sizeof buffers->large);
}

void beam__buffers_give_back_large(beam_ctx *ctx, beam__bytes *bytes) {
  struct beam__buffers *buffers = ctx->buffers;
  if (buffers && !buffers->ended && !buffers->large.at && bytes->size <= LARGE_MAX) {
    buffers->large = *bytes;
    buffers->large.len = 0;
    memset(bytes, 0, sizeof *bytes);
  }
  beam__bytes_free(bytes);
}

/* A buffer that is freed and made anew for each batch costs more than the batch. */
static void give_back(const beam__output *output, beam__bytes *bytes) {
  struct beam__buffers *buffers = output->ctx->buffers;
  beam__bytes *spare = buffers->spare[0].at ? &buffers->spare[1] : &buffers->spare[0];
  if (!buffers->ended && !spare->at && bytes->size <= SPARE_MAX) {
    *spare = *bytes;
    spare->len = 0;
    memset(bytes, 0, sizeof *bytes);
  }
  beam__bytes_free(bytes);
}

static void take_spare(const beam__output *output, beam__bytes *bytes) {
  struct beam__buffers *buffers = output->ctx->buffers;
  beam__bytes *spare = buffers->spare[0].at ? &buffers->spare[0] : &buffers->spare[1];
  if (bytes->at)
    return;
  *bytes = *spare;
  memset(spare, 0, sizeof *spare);
}

/* Adds the pieces without their first `taken` bytes. */
static int keep(const beam__output *output, beam__bytes *to, const uv_buf_t *pieces, unsigned count, size_t taken) {
  unsigned i;
  take_spare(output, to);
  for (i = 0; i < count; i++) {
    size_t skip = taken < pieces[i].len ? taken : pieces[i].len;
    taken -= skip;
    if (beam__bytes_add(to, pieces[i].base + skip, pieces[i].len - skip))
      return UV_ENOMEM;
  }
  return 0;
}

/* Moves what is left to the front only when that is the smaller half, so that each byte is moved about once. */
static void compact(beam__output *output) {
  if (output->sent <= COMPACT_MIN || output->sent <= output->queued.len / 2)
    return;
  beam__bytes_skip(&output->queued, output->sent);
  output->sent = 0;
}

static void empty_queue(beam__output *output) {
  give_back(output, &output->queued);
  output->sent = 0;
}

size_t beam__output_waiting(const beam__output *output) {
  return output->queued.len - output->sent + output->joined.len;
}

void beam__output_drop(beam__output *output) {
  empty_queue(output);
  give_back(output, &output->joined);
  output->full = 0;
}

/* ---- Sending ---- */

static int send_pieces(beam__output *output, const uv_buf_t *pieces, unsigned count, size_t *taken) {
  ssize_t sent = beam__socket_send(output->fd, pieces, count);
  *taken = sent > 0 ? (size_t)sent : 0;
  output->taken += *taken;
  return sent < 0 ? (int)sent : 0;
}

/* A record that is not whole in the queue cannot be followed by anything. */
static int encrypt(beam__output *output, const char *data, size_t len) {
  take_spare(output, &output->queued);
  return beam__tls_write(output->tls, data, len) ? UV_ENOMEM : 0;
}

static int encrypt_joined(beam__output *output) {
  beam__bytes joined = output->joined;
  int status = 0;
  if (!joined.len)
    return 0;
  memset(&output->joined, 0, sizeof joined);
  status = encrypt(output, joined.at, joined.len);
  give_back(output, &joined);
  return status;
}

int beam__output_send(beam__output *output) {
  uv_buf_t rest;
  size_t taken;
  int status = encrypt_joined(output);
  if (status || output->queued.len == output->sent)
    return status;
  rest = uv_buf_init(output->queued.at + output->sent, 0);
  rest.len = output->queued.len - output->sent;
  status = send_pieces(output, &rest, 1, &taken);
  if (status)
    return status;
  output->sent += taken;
  output->full = taken < rest.len;
  if (!output->full)
    empty_queue(output);
  return 0;
}

/* ---- Writing ---- */

/* Is this the first write of the turn, with nothing before it? */
static int goes_at_once(beam__output *output) {
  int first = !beam__output_waiting(output) && output->turn != output->ctx->turn;
  output->turn = output->ctx->turn;
  return first;
}

static int write_plain(beam__output *output, const uv_buf_t *pieces, unsigned count, int at_once) {
  size_t total = 0, taken = 0;
  unsigned i;
  int status = 0;
  for (i = 0; i < count; i++)
    total += pieces[i].len;
  if (at_once && total)
    status = send_pieces(output, pieces, count, &taken);
  if (status || taken == total)
    return status;
  output->full |= at_once;
  compact(output);
  return keep(output, &output->queued, pieces, count, taken);
}

static int write_secured(beam__output *output, const uv_buf_t *pieces, unsigned count, int at_once) {
  unsigned i;
  int status = 0;
  if (!at_once && !output->full)
    return keep(output, &output->joined, pieces, count, 0);
  compact(output);
  for (i = 0; i < count && !status; i++)
    status = encrypt(output, pieces[i].base, pieces[i].len);
  return status || !at_once ? status : beam__output_send(output);
}

int beam__output_write(beam__output *output, const uv_buf_t *pieces, unsigned count) {
  int at_once = goes_at_once(output), status;
  status = output->tls ? write_secured(output, pieces, count, at_once) : write_plain(output, pieces, count, at_once);
  if (!status && !output->full && beam__output_waiting(output) >= JOIN_MAX)
    status = beam__output_send(output);
  return status;
}
