/* The other side of a scene, in a process of its own that knows no faults: a server in plain and one with TLS, on which
 * a call, a stream and a session are answered, and a proxy. */
#ifndef BEAM_FAULT_PEER_H
#define BEAM_FAULT_PEER_H

#include <fcntl.h>
#include <sys/wait.h>

#include "beam-server.h"
#include "certificate.h"
#include "core/callbacks/proxy_fixture.h"

static struct peer {
  unsigned port, secure_port, proxy_port;
  char ca_file[64];
  pid_t process;
  int input; /* the process ends with it */
} peer;

static void peer_on_ws(void *user, beam_ws *ws, const beam_ws_event *event) {
  (void)user;
  if (event->type == BEAM_WS_MESSAGE && event->binary)
    beam_ws_send_binary(ws, event->data, event->len);
  else if (event->type == BEAM_WS_MESSAGE)
    beam_ws_send_text(ws, event->data, event->len);
  else if (event->type == BEAM_WS_CLOSED)
    beam_ws_free(ws);
}

static void peer_on_request(void *user, beam_request *request, const beam_request_view *view) {
  static char piece[3000];
  beam_ws_options options = {.on_event = peer_on_ws};
  beam_ws *ws;
  int i;
  (void)user;
  if (view->upgrade) {
    if (beam_request_accept(request, &ws, &options))
      beam_request_abort(request, 1);
  } else if (strncmp(view->target, "/stream", 7) == 0) {
    memset(piece, 's', sizeof piece);
    if (beam_request_stream_begin(request, 200, NULL, 0)) {
      beam_request_abort(request, 1);
      return;
    }
    for (i = 0; i < 20; i++)
      beam_request_stream_write(request, piece, sizeof piece);
    beam_request_stream_end(request);
  } else if (beam_request_respond(request, 200, NULL, 0, view->body, view->body_len)) {
    beam_request_abort(request, 1);
  }
}

static void peer_run(int input, int output) {
  beam_server_options options = {.on_request = peer_on_request};
  beam_server *plain, *secure;
  static proxy through;
  struct peer told = peer;
  beam_ctx *ctx;
  char byte;
  if (beam_new(&ctx, NULL) || beam_server_listen(ctx, &plain, &options, NULL))
    abort();
  options.tls = (beam_tls){.cert_file = peer.ca_file, .key_file = peer.ca_file};
  if (beam_server_listen(ctx, &secure, &options, NULL))
    abort();
  proxy_start(&through);
  told.port = beam_server_port(plain);
  told.secure_port = beam_server_port(secure);
  told.proxy_port = through.port;
  if (write(output, &told, sizeof told) != sizeof told)
    abort();
  fcntl(input, F_SETFL, O_NONBLOCK);
  while (read(input, &byte, 1) != 0)
    beam_step(ctx, 200);
  _exit(0);
}

static void peer_start(void) {
  int in[2], out[2];
  pid_t child;
  snprintf(peer.ca_file, sizeof peer.ca_file, "/tmp/beam-faults-%d.pem", (int)getpid());
  if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
    abort();
  child = fork();
  if (child == 0) {
    close(in[1]);
    write_certificate(peer.ca_file);
    peer_run(in[0], out[1]);
  }
  close(in[0]);
  close(out[1]);
  if (read(out[0], &peer, sizeof peer) != sizeof peer)
    abort();
  close(out[0]);
  peer.input = in[1];
  peer.process = child;
}

static void peer_stop(void) {
  close(peer.input);
  waitpid(peer.process, NULL, 0);
  unlink(peer.ca_file);
}

#endif
