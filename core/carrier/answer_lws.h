/* An answer as libwebsockets received it: read where it lies, since 4.1.6 cannot list headers it does not know. */
#ifndef BEAM_ANSWER_LWS_H
#define BEAM_ANSWER_LWS_H

#include "carrier/lws_context.h"
#include "websocket/handshake.h"

#pragma GCC visibility push(hidden)

/* The answer on this connection, from within ESTABLISHED_CLIENT_HTTP. 0 or BEAM_ENO_MEMORY. */
int beam__answer_of(struct lws *wsi, struct beam__lws *lws, beam__answer *answer);
/* The same from within CLIENT_CONNECTION_ERROR: whether an answer came that is no 101 and was longer than libwebsockets
 * takes. Its body is lost. */
int beam__answer_refused(struct beam__lws *lws, beam__answer *answer);
/* The status a proxy refused with, from within CLIENT_CONNECTION_ERROR; 0: none came. */
int beam__answer_of_proxy(struct beam__lws *lws);
/* The beginning of what came, made fit to be shown, from within CLIENT_CONNECTION_ERROR. */
void beam__lws_shown(struct beam__lws *lws, char *to, size_t size);

#pragma GCC visibility pop

#endif
