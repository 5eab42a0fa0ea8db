/* One HTTP exchange, seen from inside. Its life: waiting for CA certificates, queued, in curl, ended (curl has let go
 * of it; what a paused reader has not taken may still be held), done (the terminal event is out), released.
 *
 *   http.c         public calls, events, deadlines
 *   request.c      options -> curl's easy handle
 *   kept.c         those that ended well, for the next ones to the same place
 *   lines.c        the headers of a request
 *   connect.c      what curl tells while it connects: phases, certificates; and when it may send again
 *   http2.c        which requests an HTTP/2 server has not taken
 *   coding/        content codings, undone
 *   trust.c        whose certificates are good: read before curl is given the exchange
 *   body.c         what curl reads: head and body, decoded, bounded, paused
 *   upload.c       what curl sends, where the body comes in pieces
 *   error.c        what curl says went wrong -> beam_error
 *   wire_log.c     heads for the log, and how long each part took
 */
#pragma once

#include "base/bytes.h"
#include "http/coding/decode.h"
#include "http/curl.h"
#include "http/lines.h"
#include "http/response.h"
#include "net/proxy.h"
#include "net/tls/trust.h"

#pragma GCC visibility push(hidden)

typedef struct beam__upload {
  int wanted;
  uint64_t size, accepted; /* size 0: not known */
  beam__bytes queue;
  size_t taken;  /* bytes at the front of it that curl has */
  int ended;     /* all of it is in the queue, or was */
  int over;      /* answered before its end */
  int asked;     /* curl wanted some of it: the head of the request is leaving, or has left */
  int paused;    /* curl waits for more */
  int looked;    /* curl has been given time to read before the next piece */
  int unwatched; /* over, and curl has read the whole answer */
} beam__upload;

struct beam_http {
  /* What stays if it is used again (kept.c). */
  beam__transfer transfer;
  beam_ctx *ctx;
  beam__owned owned;
  beam__task task; /* release it, or go on reading */
  uv_timer_t deadline;
  uint64_t armed; /* when it fires; 0: it does not */
  beam__url url;
  CURLU *parts; /* the same for curl */
  beam__proxy proxy;
  char peer[272]; /* "host:port" that is connected to: the proxy's, if there is one */
  beam__lines lines, proxy_lines;
  void *body;
  size_t body_size; /* of its memory */
  unsigned connect_timeout_ms;
  beam__response response;
  beam__decoder decoder;
  char curl_text[CURL_ERROR_SIZE];
  char subject[256], issuer[256]; /* of the server's certificate */
  beam_error error;               /* code 0: none so far */
  struct beam__http_note {        /* url NULL: it is not used again */
    char *url, method[33];
    int posts, http1, insecure;
    unsigned trust_id; /* 0: none */
  } note;

  /* What is of one exchange: all zero when it begins. */
  void (*on_event)(void *user, beam_http *http, const beam_http_event *event);
  void *user;
  beam__trust *trust; /* NULL: no TLS, insecure, or curl's own */
  beam__trust_waiter trust_waiter;
  size_t max_body; /* 0: no limit */
  unsigned timeout_ms;
  unsigned connect_left_ms;           /* of connect_timeout_ms, less what CA certificates took */
  uint64_t connect_due, exchange_due; /* in the loop's time; 0: none */
  int own_accept_encoding;            /* the caller's header, not ours */
  int wants_head;                     /* and no body of the answer */

  enum beam_phase phase;
  uint64_t started_at;            /* uv_hrtime; so are the next two */
  uint64_t asked_at, answered_at; /* the request goes, the answer begins; 0: not yet */
  unsigned attempts;              /* how often curl was about to send the request */
  int cleared;                    /* it may be sent once more */
  unsigned refusals;              /* how often we sent it again because the server had not taken it */
  struct beam__http2 {            /* all zero: it was not about to be sent over HTTP/2 */
    beam__node node;              /* in curl->streams */
    uint64_t connection;          /* its number */
    unsigned id;                  /* of the stream; 0: not known */
    int refused, over;            /* the server has not taken it; the connection has ended */
  } http2;
  int stale, renewed;      /* that one had spoken before it was asked; and a new one was taken */
  long sent_before;        /* bytes curl had sent when it was about to: to the proxy, or what was not taken */
  int sent_before_restart; /* headers went out that a restart sends again */
  beam__upload upload;
  uint64_t received;   /* bytes of the body, decoded */
  uint64_t taken;      /* as curl handed them on */
  unsigned char *held; /* raw bytes that a pause cut off in the middle of decoding */
  size_t held_len;

  int stream;
  int paused;      /* by the caller */
  int curl_paused; /* curl was told so */
  int holding;     /* `held`, or what the decoder has inside, is to be decoded first */
  int repeated;    /* beam_http_again */
  int mended;      /* curl called it a failure */
  int ended, done, freed;
  int dispatching;
};

enum { BEAM__HTTP_KEPT = offsetof(struct beam_http, on_event) };

/* http.c */
void beam__http_enter(beam_http *http, enum beam_phase phase);
void beam__http_deliver(beam_http *http, enum beam_http_event_type type, const void *data, size_t len);
void beam__http_end(beam_http *http); /* it is in no list and curl has it not: frees it */

/* request.c: checks the options, copies them and makes the easy handle. 0 or an error. */
int beam__http_prepare(beam_http *http, const beam_http_options *options, beam_error *error);
void beam__http_unprepare(beam_http *http); /* frees and wipes what prepare made, wherever it stopped */
/* Of one from beam__http_kept: checks, and sets what differs. 0 or an error. */
int beam__http_prepare_again(beam_http *http, const beam_http_options *options, beam_error *error);
const char *beam__http_method(const beam_http_options *options);
int beam__http_posts(const beam_http_options *options); /* it has a body, be it empty */
int beam__http_wants_http1(int tls, const beam_http_options *options);
unsigned beam__http_connect_timeout(const beam_http_options *options);

/* kept.c */
int beam__http_note(beam_http *http, const beam_http_options *options); /* what it was set to. 0 or BEAM_ENO_MEMORY */
int beam__http_keep(beam_http *http);                                   /* 0: it is not for that: end it */
beam_http *beam__http_kept(beam_ctx *ctx, const beam_http_options *options); /* for these, or NULL */

/* connect.c */
int beam__http_watch_connect(beam_http *http, int verify); /* 0, or an option that curl refused */

/* Whether the request may go again, as nothing of it can have been acted on; each reason once. Then makes it ready:
 * over a new connection, if the kept one was stale; over HTTP/1.1, if its early answer was lost in HTTP/2. */
int beam__http_restart(beam_http *http, CURLcode result);

struct ssl_st *beam__http_tls(const beam_http *http); /* of the connection that was chosen, or NULL */

/* http2.c */
int beam__http2_join(beam_http *http, struct ssl_st *tls); /* NULL: it speaks HTTP/1.1. 0, or the error that is noted */
void beam__http2_leave(beam_http *http);
void beam__http2_hear(beam_http *http, const char *text, size_t len); /* what curl logs */
int beam__http2_is_refused(const beam_http *http);                    /* the server has not taken it */
/* Whoever answers so has not looked at the request (RFC 9113 section 7): curl would send it over HTTP/1.1. */
int beam__http2_wants_http1(const beam_http *http);

/* trust.c */
int beam__http_choose_trust(beam_http *http, const beam_tls *tls);             /* 0, or an option that curl refused */
int beam__http_apply_trust(const beam_http *http, struct ssl_ctx_st *context); /* 0 or BEAM_ENO_MEMORY */
int beam__http_lacks_trust(const beam_http *http);                             /* it is still being loaded */
int beam__http_check_trust(beam_http *http); /* 0; BEAM_EINVALID: it could not be loaded, http->error says why */
void beam__http_release_trust(beam_http *http);

/* body.c */
int beam__http_watch_response(beam_http *http); /* 0, or an option that curl refused */
void beam__http_tell_gathered(beam_http *http); /* of a stream: what has come of its body and was not told yet */
int beam__http_take_held(beam_http *http);      /* decodes what a pause held back; negative: http->error says why */
void beam__http_check_end(beam_http *http);     /* what ended too early becomes http->error */

/* upload.c */
int beam__http_set_upload(beam_http *http, uint64_t size); /* 0, or an option that curl refused */
void beam__http_upload_answered(beam_http *http);          /* the head of the answer is there */
void beam__http_upload_unwatched(beam_http *http);         /* curl reads no more from the socket */

/* wire_log.c */
int beam__http_trace(beam_http *http);  /* 0, or an option that curl refused */
int beam__http_listen(beam_http *http); /* the same; what curl logs goes to beam__http2_hear */
void beam__http_answered(beam_http *http);
void beam__http_times(const beam_http *http, beam_http_times *times);

/* error.c: fills http->error, unless it is filled already. The first returns -1. */
int beam__http_fail(beam_http *http, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int beam__http_was_sent(const beam_http *http); /* a byte of it, as far as curl knows */
void beam__http_fail_again(beam_http *http);    /* it would have to be sent again */
void beam__http_fail_curl(beam_http *http, CURLcode result);

#pragma GCC visibility pop
