#include "websocket/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "carrier/stream.h"
#include "net/http1/body.h"
#include "net/race.h"

enum {
  UPGRADE_MS = 960000, /* longer than Beam's cold start, wire.md section 5 */
  BODY_MS = 1000,      /* for the body of a rejection, once its head is there */
  BODY_MAX = 65536
};

typedef struct upgrade {
  beam__carrier base;
  beam_ctx *ctx;
  const beam__carrier_events *events;
  void *user;
  beam__carrier *carrier; /* on the way, then the stream; NULL: given back, or handed over */
  beam__task task;        /* frees it */
  beam_timer *deadline;
  beam__upgrade_request request;
  char *host; /* "host:port" */
  beam__answer answer;
  beam__body decoder; /* of a rejection's body */
  beam__bytes body;
  uint8_t plain;  /* no TLS */
  uint8_t sent;   /* the request */
  uint8_t closed; /* by its holder: no event any more */
  uint8_t over;   /* the last event was sent */
} upgrade;

static int live(const upgrade *u) { return !u->closed && !u->over; }

/* ---- The end ---- */

void beam__upgrade_request_free(beam__upgrade_request *request) {
  beam__way_free(&request->way);
  beam__bytes_wipe(&request->head);
  free(request->offer);
  request->offer = NULL;
}

static void free_upgrade(upgrade *u) {
  beam__upgrade_request_free(&u->request);
  beam__answer_free(&u->answer);
  beam__bytes_free(&u->body);
  free(u->host);
  free(u);
}

static void run(beam__task *task) { free_upgrade(BEAM__CONTAINER(task, upgrade, task)); }

static void stop_deadline(upgrade *u) {
  beam_timer_stop(u->deadline);
  u->deadline = NULL;
}

static void let_go(upgrade *u, enum beam__carrier_end end) {
  beam__carrier *carrier = u->carrier;
  u->carrier = NULL;
  stop_deadline(u);
  if (carrier)
    carrier->ops->close(carrier, end);
}

static void close_upgrade(beam__carrier *base, enum beam__carrier_end end) {
  upgrade *u = (upgrade *)base;
  u->closed = 1;
  let_go(u, end == BEAM__END_RESET ? end : BEAM__END_NOW);
  beam__task_defer(u->ctx, &u->task);
}

static void give_up(upgrade *u, const beam_error *error) {
  beam_error told = *error;
  let_go(u, BEAM__END_NOW);
  if (!live(u))
    return;
  u->over = 1;
  told.sent = u->sent;
  u->events->lost(u->user, &told);
}

static void out_of_memory(upgrade *u) {
  beam_error error;
  beam__error(&error, BEAM_ENO_MEMORY, BEAM_PHASE_UPGRADE, u->host, "out of memory");
  give_up(u, &error);
}

static void reject(upgrade *u, const beam_error *error) {
  let_go(u, BEAM__END_NOW);
  if (!live(u))
    return;
  u->over = 1;
  u->events->rejected(u->user, error, u->answer.headers, u->answer.header_count, u->body.at, u->body.len);
}

/* ---- A rejection: its body ---- */

static void end_body(upgrade *u) {
  beam_error error;
  beam__handshake_refused(&u->answer, u->host, &error);
  reject(u, &error);
}

static void on_body_late(void *user) {
  upgrade *u = user;
  u->deadline = NULL;
  end_body(u);
}

/* As long as its head says; without a length until the connection ends. */
static int begin_body(upgrade *u) {
  const beam_header *headers = u->answer.headers;
  size_t count = u->answer.header_count;
  const char *length = beam__header_find(headers, count, "content-length");
  int chunked = beam__header_lists(headers, count, "transfer-encoding", "chunked"), status = u->answer.status;
  uint64_t size = length ? strtoull(length, NULL, 10) : UINT64_MAX;
  beam__body_init(&u->decoder, chunked, status == 204 || status == 304 ? 0 : size);
  stop_deadline(u);
  return beam_timer_start(u->ctx, &u->deadline, BODY_MS, on_body_late, u);
}

static void take_body(upgrade *u, const char *bytes, size_t len) {
  enum beam__body_result result;
  do {
    size_t used, piece, room = BODY_MAX - u->body.len;
    const char *data;
    result = beam__body_decode(&u->decoder, bytes, len, &used, &data, &piece);
    if (result == BEAM__BODY_DATA && beam__bytes_add(&u->body, data, piece < room ? piece : room))
      result = BEAM__BODY_END;
    bytes += used;
    len -= used;
  } while (result == BEAM__BODY_DATA && u->body.len < BODY_MAX);
  if (result != BEAM__BODY_MORE)
    end_body(u);
}

/* ---- The answer ---- */

static void open_up(upgrade *u, const char *early, size_t len) {
  beam__carrier *stream = u->carrier;
  if (beam__stream_hand_over(stream, u->events, u->user, early, len)) {
    out_of_memory(u);
    return;
  }
  u->carrier = NULL;
  u->over = 1;
  stop_deadline(u);
  beam__task_defer(u->ctx, &u->task);
  u->events->connected(u->user, stream, u->answer.status, u->answer.headers, u->answer.header_count);
}

static void on_answer(upgrade *u, const char *rest, size_t len) {
  beam_error error;
  if (u->answer.status == 101) {
    if (beam__handshake_agrees(&u->answer, u->request.key, u->request.offer, u->host, &error))
      reject(u, &error);
    else
      open_up(u, rest, len);
  } else if (begin_body(u)) {
    end_body(u);
  } else {
    take_body(u, rest, len);
  }
}

static void on_data(void *user, const void *data, size_t len) {
  upgrade *u = user;
  beam_error error;
  size_t used;
  int result;
  if (!live(u))
    return;
  if (u->answer.status) {
    take_body(u, data, len);
    return;
  }
  result = beam__answer_read(&u->answer, data, len, &used);
  if (result == 1) {
    on_answer(u, (const char *)data + used, len - used);
  } else if (result) {
    beam__handshake_unreadable(&u->answer, result, u->host, &error);
    give_up(u, &error);
  }
}

static void describe_loss(const upgrade *u, int system, beam_error *error) {
  char reason[96], shown[64];
  beam__answer_shown(&u->answer, shown, sizeof shown);
  if (*shown)
    beam__error(error, BEAM_ECLOSED, BEAM_PHASE_UPGRADE, u->host,
                "%s ended the connection in the middle of its answer (\"%s\"): %s", u->host, shown,
                beam__system_text(system, reason, sizeof reason));
  else
    beam__error(error, BEAM_ECLOSED, BEAM_PHASE_UPGRADE, u->host, "%s ended the connection before its answer: %s%s",
                u->host, beam__system_text(system, reason, sizeof reason),
                u->plain && !system ? "; if it speaks TLS only: wss://" : "");
  error->system = system;
}

/* Until the request was sent the carrier says all there is to say; so it does where TLS failed. */
static void on_lost(void *user, const beam_error *lost) {
  upgrade *u = user;
  beam_error error;
  if (u->answer.status) {
    end_body(u);
  } else if (lost && (!u->sent || lost->code == BEAM_ETLS || lost->code == BEAM_ENO_MEMORY)) {
    give_up(u, lost);
  } else {
    describe_loss(u, lost ? lost->system : 0, &error);
    give_up(u, &error);
  }
}

/* ---- The request ---- */

static void on_deadline(void *user) {
  upgrade *u = user;
  beam_error error;
  u->deadline = NULL;
  beam__error(&error, BEAM_ETIMEOUT, BEAM_PHASE_UPGRADE, u->host,
              "%s: the server did not answer the upgrade within %u ms (upgrade_timeout)", u->host,
              u->request.timeout_ms);
  give_up(u, &error);
}

static void on_phase(void *user, enum beam_phase phase) {
  upgrade *u = user;
  u->events->phase(u->user, phase);
}

static void on_connected(void *user, beam__carrier *carrier, int status, const beam_header *headers, size_t count) {
  upgrade *u = user;
  beam__bytes *head = &u->request.head;
  (void)status, (void)headers, (void)count;
  u->carrier = carrier;
  u->events->phase(u->user, BEAM_PHASE_UPGRADE);
  if (!live(u))
    return;
  if (beam_timer_start(u->ctx, &u->deadline, u->request.timeout_ms, on_deadline, u) ||
      carrier->ops->write(carrier, head->at, head->len)) {
    out_of_memory(u);
    return;
  }
  u->sent = 1;
  beam__bytes_wipe(head);
}

static void on_drained(void *user) { (void)user; }

static const beam__carrier_events own_events = {on_phase, on_connected, on_data, on_drained, NULL, on_lost};

/* ---- The beginning ---- */

static void progress(const beam__carrier *base, beam_progress *to) {
  const upgrade *u = (const upgrade *)base;
  memset(to, 0, sizeof *to);
  if (u->sent && u->carrier)
    u->carrier->ops->progress(u->carrier, to);
}

/* Its holder writes and reads once it is connected, and has the stream. */
static const beam__carrier_ops ops = {.progress = progress, .close = close_upgrade};

int beam__upgrade_open(beam_ctx *ctx, beam__carrier **carrier, beam__upgrade_request *request,
                       const beam__carrier_events *events, void *user, beam_error *error) {
  upgrade *u = calloc(1, sizeof *u);
  int code = u && (u->host = beam__strdup(request->way.url.authority)) ? 0 : BEAM_ENO_MEMORY;
  if (!code)
    u->plain = !request->way.url.tls;
  if (!code)
    code = beam__client_open(ctx, &u->carrier, &request->way, &own_events, u, error);
  if (code) {
    if (u)
      free_upgrade(u);
    return code == BEAM_ENO_MEMORY ? beam__no_memory(error) : code;
  }
  u->base.ops = &ops;
  u->ctx = ctx;
  u->events = events;
  u->user = user;
  u->request = *request;
  memset(request, 0, sizeof *request);
  if (!u->request.timeout_ms)
    u->request.timeout_ms = UPGRADE_MS;
  beam__task_init(&u->task, run);
  *carrier = &u->base;
  return 0;
}
