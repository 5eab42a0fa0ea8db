/* beam_ws_open: everything that can be wrong with the options is found here, before the network is touched. */
#include <string.h>

#include "carrier/lws.h"
#include "net/auth.h"
#include "net/tls/files.h"
#include "websocket/upgrade.h"
#include "websocket/websocket.h"

static int add_credentials(beam__way *way, const beam_auth *auth, char **authorization, beam_error *error) {
  int failed = 0, code = beam__auth_check(auth, &way->url, error);
  if (!code)
    code = beam__auth_check_proxy(auth, &way->url, way->proxy.host, error);
  if (code)
    return code;
  if (auth->scheme == BEAM_AUTH_QUERY)
    failed = beam__auth_query(auth, &way->url);
  else
    *authorization = beam__auth_header(auth, &failed);
  return failed ? beam__no_memory(error) : 0;
}

static int put_together(beam__upgrade_request *request, const beam_ws_options *options, beam_error *error) {
  char *authorization = NULL;
  int code = add_credentials(&request->way, &options->auth, &authorization, error);
  beam__handshake_key(request->key);
  if (!code)
    code = beam__handshake_request(&request->head, &request->way.url, authorization, options->headers,
                                   options->header_count, request->key, error);
  beam__wipe_free(authorization);
  if (!code && !(request->offer = beam__handshake_offer(options->headers, options->header_count)))
    code = beam__no_memory(error);
  return code;
}

static int prepare(beam_ctx *ctx, beam__upgrade_request *request, const beam_ws_options *options, beam_error *error) {
  beam__way *way = &request->way;
  int code = options->url ? beam__url_parse(&way->url, options->url, error) : beam__invalid(error, "no URL was given");
  if (!code)
    code = beam__proxy_choose(&way->proxy, options->proxy, &way->url, error);
  if (!code && way->url.tls)
    code = beam__tls_check(ctx, &options->tls, error);
  way->tls = options->tls;
  way->connect_timeout_ms = options->connect_timeout_ms;
  way->silence_timeout_ms = options->silence_timeout_ms;
  request->timeout_ms = options->upgrade_timeout_ms;
  return code ? code : put_together(request, options, error);
}

/* The context of libwebsockets comes first: what is owned last ends first. */
static int start(beam_ctx *ctx, beam_ws **ws, beam__upgrade_request *request, const beam_ws_options *options,
                 beam_error *error) {
  beam__carrier *carrier;
  int unverified = request->way.url.tls && options->tls.insecure, code = beam__lws_ready(ctx, error);
  if (code)
    return code;
  if (beam__ws_new(ctx, ws, BEAM__CLIENT, options, request->way.url.authority))
    return beam__no_memory(error);
  code = beam__upgrade_open(ctx, &carrier, request, &beam__ws_carrier_events, *ws, error);
  if (code) {
    beam_ws_free(*ws);
    *ws = NULL;
    return code;
  }
  beam__ws_attach(*ws, carrier);
  if (unverified)
    beam__log(ctx, BEAM_LOG_WARNING, "the certificate of a WebSocket is not verified: tls.insecure is set");
  return 0;
}

int beam_ws_open(beam_ctx *ctx, beam_ws **ws, const beam_ws_options *options, beam_error *error) {
  beam__upgrade_request request = {0};
  int code;
  *ws = NULL;
  if (error)
    memset(error, 0, sizeof *error);
  if (beam__is_foreign(ctx))
    return beam__invalid(error, "%s", beam__foreign);
  code = prepare(ctx, &request, options, error);
  if (!code)
    code = start(ctx, ws, &request, options, error);
  beam__upgrade_request_free(&request);
  return code;
}
