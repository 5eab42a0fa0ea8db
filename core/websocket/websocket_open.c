/* beam_ws_open: everything that can be wrong with the options is found here, before the network is touched. */
#include <string.h>

#include "carrier/carrier_lws.h"
#include "carrier/lws_context.h"
#include "net/auth.h"
#include "net/tls/verify.h"
#include "websocket/handshake.h"
#include "websocket/websocket.h"

static int add_credentials(beam__lws_request *request, const beam_auth *auth, char **authorization, beam_error *error) {
  int failed = 0, code = beam__auth_check(auth, &request->url, error);
  if (!code)
    code = beam__auth_check_proxy(auth, &request->url, request->proxy.host, error);
  if (code)
    return code;
  if (auth->scheme == BEAM_AUTH_QUERY)
    failed = beam__auth_query(auth, &request->url);
  else
    *authorization = beam__auth_header(auth, &failed);
  return failed ? beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory") : 0;
}

static int put_together(beam__lws_request *request, const beam_ws_options *options, beam_error *error) {
  char *authorization = NULL;
  int code = add_credentials(request, &options->auth, &authorization, error);
  beam__handshake_key(request->key);
  if (!code)
    code = beam__handshake_request(&request->head, &request->url, authorization, options->headers,
                                   options->header_count, request->key, error);
  if (!code)
    request->head.len -= 2; /* libwebsockets ends it */
  beam__wipe_free(authorization);
  request->tls = options->tls;
  request->protocols = beam__header_find(options->headers, options->header_count, "sec-websocket-protocol");
  request->connect_timeout_ms = options->connect_timeout_ms;
  request->upgrade_timeout_ms = options->upgrade_timeout_ms;
  return code;
}

static int prepare(beam__lws_request *request, const beam_ws_options *options, beam_error *error) {
  int code = options->url ? beam__url_parse(&request->url, options->url, error)
                          : beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "no URL was given");
  if (!code)
    code = beam__proxy_choose(&request->proxy, options->proxy, &request->url, error);
  if (!code && request->url.tls)
    code = beam__tls_check(&options->tls, error);
  return code ? code : put_together(request, options, error);
}

/* The context of libwebsockets comes first: what is owned last ends first. */
static int start(beam_ctx *ctx, beam_ws **ws, beam__lws_request *request, const beam_ws_options *options,
                 beam_error *error) {
  beam__carrier *carrier;
  int code = beam__lws_ready(ctx, error);
  if (code)
    return code;
  if (beam__ws_new(ctx, ws, BEAM__CLIENT, options, request->url.authority))
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  code = beam__carrier_lws_open(ctx, &carrier, request, &beam__ws_carrier_events, *ws, error);
  if (code) {
    beam_ws_free(*ws);
    *ws = NULL;
    return code;
  }
  beam__ws_attach(*ws, carrier);
  if (request->tls.insecure)
    beam__log(ctx, BEAM_LOG_WARNING, "the certificate of a WebSocket is not verified: tls.insecure is set");
  return 0;
}

int beam_ws_open(beam_ctx *ctx, beam_ws **ws, const beam_ws_options *options, beam_error *error) {
  beam__lws_request request = {0};
  int code;
  *ws = NULL;
  if (error)
    memset(error, 0, sizeof *error);
  code = prepare(&request, options, error);
  if (!code)
    code = start(ctx, ws, &request, options, error);
  beam__lws_request_free(&request);
  return code;
}
