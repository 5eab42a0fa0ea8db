/* An open WebSocket: messages, fragments, pings, close codes, both ways. */
#include "websocket_fixture.h"

enum { MIB = 1024 * 1024 };

static peer echo;

static void open_echo(client *c, beam_ws_options options) {
  client_start(c);
  CHECK_INT(client_open(c, echo.port, "/", options), 0);
  CHECK(wait_for(c, &c->opened, 1));
}

static void close_in_order(client *c) {
  CHECK_INT(beam_ws_close(c->ws, 1000, "bye"), 0);
  CHECK(wait_for(c, &c->closed, 1));
  CHECK_INT(c->code, 1000);
  CHECK_STR(c->reason, "bye");
  CHECK_INT(c->failed, 0);
  client_end(c);
}

/* ---- Messages ---- */

static void test_text(void) {
  client c;
  open_echo(&c, (beam_ws_options){0});
  CHECK_INT(c.status, 101);
  CHECK_CONTAINS(c.headers, "upgrade: websocket\n");
  CHECK_INT(beam_ws_phase(c.ws), BEAM_PHASE_OPEN);
  CHECK_INT(beam_ws_send_text(c.ws, "h\xc3\xa9llo", 6), 0);
  CHECK_INT(beam_ws_send_text(c.ws, "", 0), 0);
  CHECK(wait_for(&c, &c.messages, 2));
  CHECK_INT(c.bytes, 6);
  close_in_order(&c);
  CHECK_STR(c.log, "dns tcp upgrade open closing closed closed ");
}

static void test_text_must_be_utf8(void) {
  client c;
  open_echo(&c, (beam_ws_options){0});
  CHECK_INT(beam_ws_send_text(c.ws, "\xff", 1), BEAM_EINVALID);
  CHECK_INT(beam_ws_send_text(c.ws, "\xed\xa0\x80", 3), BEAM_EINVALID);
  CHECK_INT(beam_ws_send_binary(c.ws, "\xff", 1), 0);
  CHECK(wait_for(&c, &c.messages, 1));
  close_in_order(&c);
}

static void check_pattern(client *c, const beam_ws_event *event) {
  size_t i;
  (void)c;
  if (event->type != BEAM_WS_MESSAGE)
    return;
  CHECK(event->binary && event->first && event->final);
  for (i = 0; i < event->len; i++)
    if ((unsigned char)event->data[i] != (unsigned char)(i * 7 + event->len))
      break;
  CHECK_INT(i, event->len);
}

/* Lengths at which the head changes, and what is larger than any buffer on the way. */
static void test_binary_of_many_lengths(void) {
  static const size_t lengths[] = {0, 1, 125, 126, 4096, 4097, 65521, 65535, 65536, 65537, 200001, 3 * MIB};
  client c;
  size_t i, k;
  unsigned char *data = malloc(3 * MIB);
  open_echo(&c, (beam_ws_options){0});
  c.hook = check_pattern;
  for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    for (k = 0; k < lengths[i]; k++)
      data[k] = (unsigned char)(k * 7 + lengths[i]);
    CHECK_INT(beam_ws_send_binary(c.ws, data, lengths[i]), 0);
  }
  CHECK(wait_for(&c, &c.messages, (int)i));
  CHECK_INT(beam_ws_pending(c.ws), 0);
  close_in_order(&c);
  free(data);
}

static void test_64_mib(void) {
  client c;
  char *data = calloc(64, MIB);
  open_echo(&c, (beam_ws_options){.max_message = 64 * MIB});
  CHECK_INT(beam_ws_send_binary(c.ws, data, 64 * MIB), 0);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_INT(c.bytes, 64 * MIB);
  close_in_order(&c);
  free(data);
}

static void test_over_the_bound(void) {
  client c;
  char *data = calloc(1, 1001);
  open_echo(&c, (beam_ws_options){.max_message = 1000});
  beam_ws_send_binary(c.ws, data, 1000);
  CHECK(wait_for(&c, &c.messages, 1));
  beam_ws_send_binary(c.ws, data, 1001);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 1);
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.error.code, BEAM_ETOO_LARGE);
  CHECK_INT(c.error.phase, BEAM_PHASE_OPEN);
  CHECK_CONTAINS(c.error.message, "max_message");
  client_end(&c);
  free(data);
}

static void test_pings(void) {
  client c;
  open_echo(&c, (beam_ws_options){0});
  CHECK_INT(beam_ws_ping(c.ws, "abc", 3), 0);
  CHECK_INT(beam_ws_ping(c.ws, NULL, 0), 0);
  CHECK_INT(beam_ws_ping(c.ws, c.log, 126), BEAM_EINVALID);
  CHECK(wait_for(&c, &c.pongs, 2));
  close_in_order(&c);
}

/* ---- Fragments and coalesced frames ---- */

static int pongs_seen;

static void serve_fragments(int fd, const char *target) {
  frame f;
  (void)target;
  peer_accept_upgrade(fd, "");
  write_frame(fd, 0x01, "one ", 4);
  write_frame(fd, 0x89, "p1", 2);
  write_frame(fd, 0x00, "\xc3", 1);
  sleep_ms(20);
  write_frame(fd, 0x80, "\xa9 two", 5);
  write_all(fd,
            "\x89\x01"
            "a"
            "\x89\x01"
            "b"
            "\x82\x02"
            "xy"
            "\x89\x00",
            12);
  while (pongs_seen < 4 && read_frame(fd, &f) == 0) {
    pongs_seen += f.first == 0x8A;
    free(f.data);
  }
  write_close(fd, 1000, "");
  read_close(fd);
}

static void test_fragments_are_joined(void) {
  peer p;
  client c;
  pongs_seen = 0;
  peer_start(&p, serve_fragments);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.messages, 2);
  CHECK_INT(c.bytes, 10 + 2);
  CHECK_INT(c.pings, 4);
  CHECK_INT(pongs_seen, 4); /* every one is answered */
  CHECK_INT(c.code, 1000);
  client_end(&c);
  peer_stop(&p);
}

static char pieces[128];

static void note_piece(client *c, const beam_ws_event *event) {
  (void)c;
  if (event->type == BEAM_WS_MESSAGE)
    snprintf(pieces + strlen(pieces), sizeof pieces - strlen(pieces), "[%s%.*s%s]", event->first ? "<" : "",
             (int)event->len, event->data, event->final ? ">" : "");
}

static void serve_empty_fragments(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  write_frame(fd, 0x01, "", 0);
  write_frame(fd, 0x80, "", 0);
  read_close(fd);
}

static int had_data;

static void note_data(client *c, const beam_ws_event *event) {
  (void)c;
  if (event->type == BEAM_WS_MESSAGE)
    had_data = event->data != NULL;
}

/* No bytes, but a pointer to them: who compares two of them must not take it for another sort of message. */
static void test_empty_fragments_are_joined(void) {
  peer p;
  client c;
  peer_start(&p, serve_empty_fragments);
  client_start(&c);
  c.hook = note_data;
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_INT((int)c.bytes, 0);
  CHECK_INT(had_data, 1);
  client_end(&c);
  peer_stop(&p);
}

static void test_fragments_as_they_come(void) {
  peer p;
  client c;
  pongs_seen = 0;
  *pieces = 0;
  peer_start(&p, serve_fragments);
  client_start(&c);
  c.hook = note_piece;
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){.fragments = 1}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_CONTAINS(pieces, "[<one ]");
  CHECK_CONTAINS(pieces, "[<xy>]");
  CHECK_CONTAINS(pieces, "two>]");
  client_end(&c);
  peer_stop(&p);
}

static void serve_first_in_the_101(int fd, const char *target) {
  char key[64], accept[BEAM__ACCEPT_SIZE], all[512];
  (void)target;
  sscanf(strstr(peer_request, "Sec-WebSocket-Key: "), "Sec-WebSocket-Key: %63s", key);
  beam__handshake_accept(key, accept);
  snprintf(all, sizeof all,
           "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n"
           "sec-websocket-accept: %s\r\n\r\n\x81\x05"
           "early\x88\x05\x03\xe8"
           "end",
           accept);
  write_text(fd, all);
  read_close(fd);
}

static void test_frames_in_the_packet_of_the_101(void) {
  peer p;
  client c;
  peer_start(&p, serve_first_in_the_101);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_STR(c.last, "early");
  CHECK_INT(c.code, 1000);
  CHECK_STR(c.reason, "end");
  CHECK_INT(c.failed, 0);
  client_end(&c);
  peer_stop(&p);
}

static void serve_101_in_pieces(int fd, const char *target) {
  char key[64], accept[BEAM__ACCEPT_SIZE], all[512];
  size_t i;
  (void)target;
  sscanf(strstr(peer_request, "Sec-WebSocket-Key: "), "Sec-WebSocket-Key: %63s", key);
  beam__handshake_accept(key, accept);
  snprintf(all, sizeof all,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Task-Id: t-1\r\n"
           "Sec-WebSocket-Accept: %s\r\n\r\n\x81\x05"
           "early",
           accept);
  for (i = 0; all[i]; i++) {
    write_all(fd, all + i, 1);
    usleep(300);
  }
  read_close(fd);
}

static void test_a_101_byte_by_byte(void) {
  peer p;
  client c;
  peer_start(&p, serve_101_in_pieces);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK_STR(c.last, "early");
  CHECK_CONTAINS(c.headers, "x-task-id: t-1\n");
  client_end(&c);
  peer_stop(&p);
}

static client second;

static void open_another(client *c, const beam_ws_event *event) {
  if (event->type == BEAM_WS_OPEN && !second.ctx) {
    second.ctx = c->ctx;
    CHECK_INT(client_open(&second, echo.port, "/", (beam_ws_options){0}), 0);
  }
}

static void test_open_inside_an_event(void) {
  client c;
  memset(&second, 0, sizeof second);
  client_start(&c);
  c.hook = open_another;
  CHECK_INT(client_open(&c, echo.port, "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &second.opened, 1));
  beam_ws_free(second.ws);
  close_in_order(&c);
}

/* A context made for few connections: libwebsockets then looks them up in another way. */
static void test_a_small_context(void) {
  enum { COUNT = 8 };
  static client all[COUNT];
  beam_options options = {.connections = COUNT};
  beam_ctx *ctx;
  int i;
  CHECK_INT(beam_new(&ctx, &options), 0);
  for (i = 0; i < COUNT; i++) {
    memset(&all[i], 0, sizeof all[i]);
    all[i].ctx = ctx;
    CHECK_INT(client_open(&all[i], echo.port, "/", (beam_ws_options){0}), 0);
  }
  for (i = 0; i < COUNT; i++) {
    CHECK(wait_for(&all[i], &all[i].opened, 1));
    beam_ws_send_text(all[i].ws, "x", 1);
    CHECK(wait_for(&all[i], &all[i].messages, 1));
  }
  beam_close(ctx);
}

/* ---- Close codes ---- */

static int code_seen;

static void serve_close_from_target(int fd, const char *target) {
  peer_accept_upgrade(fd, "");
  if (strcmp(target, "/0") == 0)
    write_frame(fd, 0x88, "", 0);
  else
    write_close(fd, atoi(target + 1), "why");
  code_seen = read_close(fd);
}

static void test_close_codes_of_the_peer(void) {
  static const int codes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999};
  peer p;
  size_t i;
  peer_start(&p, serve_close_from_target);
  for (i = 0; i < sizeof codes / sizeof *codes; i++) {
    client c;
    char target[8];
    snprintf(target, sizeof target, "/%d", codes[i]);
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, target, (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.closed, 1));
    CHECK_INT(c.code, codes[i]);
    CHECK_STR(c.reason, "why");
    CHECK_INT(c.failed, 0);
    client_end(&c);
    CHECK_INT(code_seen, codes[i]);
  }
  peer_stop(&p);
}

static void test_close_without_a_code(void) {
  peer p;
  client c;
  peer_start(&p, serve_close_from_target);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/0", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_INT(c.code, 1005);
  CHECK_STR(c.reason, "");
  CHECK_INT(c.failed, 0);
  CHECK_INT(code_seen, 1005);
  client_end(&c);
  peer_stop(&p);
}

static void serve_read_close(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  code_seen = read_close(fd);
}

static void test_close_codes_of_ours(void) {
  static const int codes[] = {0, 1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999};
  peer p;
  size_t i;
  peer_start(&p, serve_read_close);
  for (i = 0; i < sizeof codes / sizeof *codes; i++) {
    client c;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.opened, 1));
    CHECK_INT(beam_ws_close(c.ws, codes[i], codes[i] ? "because" : NULL), 0);
    CHECK_INT(beam_ws_close(c.ws, 1000, NULL), 0);
    CHECK_INT(beam_ws_phase(c.ws), BEAM_PHASE_CLOSING);
    CHECK_INT(beam_ws_send_text(c.ws, "x", 1), BEAM_ECLOSED);
    CHECK(wait_for(&c, &c.closed, 1));
    CHECK_INT(c.code, codes[i] ? codes[i] : 1005);
    CHECK_INT(c.failed, 0);
    CHECK_INT(code_seen, codes[i] ? codes[i] : 1005);
    client_end(&c);
  }
  peer_stop(&p);
}

static void test_close_refuses(void) {
  char reason[200];
  client c;
  memset(reason, 'r', sizeof reason);
  reason[124] = 0;
  open_echo(&c, (beam_ws_options){0});
  CHECK_INT(beam_ws_close(c.ws, 1005, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 1006, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 1002, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 999, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 5000, NULL), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 0, "why"), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 1000, "\xff"), BEAM_EINVALID);
  CHECK_INT(beam_ws_close(c.ws, 1000, reason), BEAM_EINVALID);
  reason[123] = 0;
  CHECK_INT(beam_ws_close(c.ws, 1000, reason), 0);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK_STR(c.reason, reason);
  client_end(&c);
}

static void serve_deaf(int fd, const char *target) {
  (void)target;
  peer_accept_upgrade(fd, "");
  wait_for_end(fd);
}

static void test_close_not_answered(void) {
  peer p;
  client c;
  long long start;
  peer_start(&p, serve_deaf);
  client_start(&c);
  CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){.close_timeout_ms = 200}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  start = now_ms();
  beam_ws_close(c.ws, 1000, NULL);
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK(now_ms() - start >= 190);
  CHECK_INT(c.code, 1006);
  CHECK_INT(c.error.code, BEAM_ETIMEOUT);
  CHECK_INT(c.error.phase, BEAM_PHASE_CLOSING);
  CHECK_CONTAINS(c.error.message, "close_timeout");
  client_end(&c);
  peer_stop(&p);
}

/* Free and beam_close send 1001 on what is open. */
static void test_free_sends_1001(void) {
  peer p;
  client c;
  int way;
  peer_start(&p, serve_read_close);
  for (way = 0; way < 2; way++) {
    int tries = 0;
    code_seen = 0;
    client_start(&c);
    CHECK_INT(client_open(&c, p.port, "/", (beam_ws_options){0}), 0);
    CHECK(wait_for(&c, &c.opened, 1));
    if (way == 0)
      beam_ws_free(c.ws);
    beam_close(c.ctx);
    while (!code_seen && tries++ < 200)
      sleep_ms(10);
    CHECK_INT(code_seen, 1001);
    CHECK_INT(c.closed, 0);
  }
  peer_stop(&p);
}

/* ---- Two of ours ---- */

static beam_ws *accepted;
static client server_side;

static void on_request(void *user, beam_request *request, const beam_request_view *view) {
  beam_ws_options options = {.on_event = on_client_event, .user = user};
  CHECK(view->upgrade);
  CHECK_INT(beam_request_accept(request, &accepted, &options), 0);
}

static void test_our_server(void) {
  client c;
  beam_server *server;
  beam_server_options options = {.on_request = on_request, .user = &server_side};
  client_start(&c);
  memset(&server_side, 0, sizeof server_side);
  CHECK_INT(beam_server_listen(c.ctx, &server, &options, NULL), 0);
  CHECK_INT(client_open(&c, beam_server_port(server), "/", (beam_ws_options){0}), 0);
  CHECK(wait_for(&c, &c.opened, 1));
  beam_ws_send_text(c.ws, "to the server", 13);
  beam_ws_send_binary(accepted, "to the client", 13);
  CHECK(wait_for(&c, &c.messages, 1));
  CHECK(wait_for(&c, &server_side.messages, 1));
  CHECK_STR(c.last, "to the client");
  CHECK_STR(server_side.last, "to the server");
  beam_ws_close(accepted, 4321, "from the server");
  CHECK(wait_for(&c, &c.closed, 1));
  CHECK(wait_for(&c, &server_side.closed, 1));
  CHECK_INT(c.code, 4321);
  CHECK_INT(server_side.code, 4321);
  CHECK_INT(c.failed + server_side.failed, 0);
  beam_ws_free(accepted);
  beam_server_close(server);
  client_end(&c);
}

int main(void) {
  peer_start(&echo, serve_echo);
  RUN(test_text);
  RUN(test_text_must_be_utf8);
  RUN(test_binary_of_many_lengths);
  RUN(test_64_mib);
  RUN(test_over_the_bound);
  RUN(test_pings);
  RUN(test_fragments_are_joined);
  RUN(test_empty_fragments_are_joined);
  RUN(test_fragments_as_they_come);
  RUN(test_frames_in_the_packet_of_the_101);
  RUN(test_a_101_byte_by_byte);
  RUN(test_open_inside_an_event);
  RUN(test_a_small_context);
  RUN(test_close_codes_of_the_peer);
  RUN(test_close_without_a_code);
  RUN(test_close_codes_of_ours);
  RUN(test_close_refuses);
  RUN(test_close_not_answered);
  RUN(test_free_sends_1001);
  RUN(test_our_server);
  peer_stop(&echo);
  return test_end();
}
