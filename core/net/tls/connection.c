/* OpenSSL between two buffers. Traps: SSL_free without a shutdown makes the session that a ticket stands for unusable
 * (1.1.1 to 3.x); the queue of errors is the thread's, so that it is emptied before each call that may fail for more
 * than want of memory; and SSL_free_buffers frees a record that is half read (CVE-2024-4741: before 3.0.14, 3.1.6,
 * 3.2.2, 3.3.1).
 */
#include "net/tls/connection.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls/refusal.h"
#include "net/tls/verify.h"

enum { REASON_SIZE = 160 };

typedef struct failure { /* made when something fails */
  long verify_code;      /* X509_V_ERR_…; 0: the certificate was not refused */
  char subject[200], issuer[200];
  char reason[REASON_SIZE];
} failure;

struct beam__tls {
  SSL *ssl;
  beam__tls_profile *profile;
  const char *in;
  size_t in_len;
  beam__bytes *out;
  failure *failure; /* NULL also where there was no memory for it */
  uint8_t secured, failed, short_of_memory;
  uint8_t untold; /* the last reading met more than data */
  char peer[];    /* "host:port" */
};

/* ---- The two buffers as a BIO ---- */

static BIO_METHOD *method; /* for the life of the process */
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int write_out(BIO *bio, const char *data, int len) {
  beam__tls *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (!beam__bytes_add(tls->out, data, (size_t)len))
    return len;
  tls->short_of_memory = 1;
  return -1;
}

static int read_in(BIO *bio, char *to, int size) {
  beam__tls *tls = BIO_get_data(bio);
  size_t len = tls->in_len < (size_t)size ? tls->in_len : (size_t)size;
  BIO_clear_retry_flags(bio);
  if (!len) {
    BIO_set_retry_read(bio);
    return -1;
  }
  memcpy(to, tls->in, len);
  tls->in += len;
  tls->in_len -= len;
  return (int)len;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static void make_method(void) {
  BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "beam");
  if (!made)
    return;
  BIO_meth_set_write(made, write_out);
  BIO_meth_set_read(made, read_in);
  BIO_meth_set_ctrl(made, control);
  method = made;
}

static int join(beam__tls *tls) {
  BIO *bio;
  pthread_once(&method_once, make_method);
  bio = method ? BIO_new(method) : NULL;
  if (!bio)
    return 0;
  BIO_set_data(bio, tls);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls->ssl, bio, bio);
  return 1;
}

/* ---- What fails ---- */

static failure *fail(beam__tls *tls) {
  tls->failed = 1;
  if (!tls->failure)
    tls->failure = calloc(1, sizeof *tls->failure);
  return tls->failure;
}

/* OpenSSL gives an alert of the peer's as a reason of its own, whose text is "tlsv13 alert certificate required";
 * SSL_alert_desc_string_long does not know it (3.0). */
static void note_reason(beam__tls *tls) {
  unsigned long code = ERR_peek_error();
  int reason = ERR_GET_REASON(code);
  failure *failed = fail(tls);
  const char *text = ERR_reason_error_string(code), *alert = text ? strstr(text, "alert ") : NULL;
  if (!failed || *failed->reason)
    return;
  if (tls->short_of_memory)
    snprintf(failed->reason, sizeof failed->reason, "out of memory");
  else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET && alert)
    snprintf(failed->reason, sizeof failed->reason, "the peer sent the alert \"%s\"", alert + strlen("alert "));
  else
    snprintf(failed->reason, sizeof failed->reason, "%s", text ? text : "unknown reason");
}

/* Of memory that ran out OpenSSL tells in as many ways as it has functions, a bad certificate among them. It may be
 * anywhere in its queue; and malloc leaves ENOMEM, until it sends the alert, which clears errno. */
static int ran_out_of_memory(void) {
  unsigned long code = 0;
  int found = errno == ENOMEM;
  while (!found && (code = ERR_get_error()))
    found = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  return found;
}

static enum beam__tls_result failed(beam__tls *tls) {
  note_reason(tls);
  tls->short_of_memory |= ran_out_of_memory();
  ERR_clear_error();
  return BEAM__TLS_FAILED;
}

void beam__tls_refused(beam__tls *tls, long verify_code, const X509 *certificate) {
  failure *noted = fail(tls);
  if (errno == ENOMEM)
    tls->short_of_memory = 1;
  if (!noted)
    return;
  noted->verify_code = verify_code;
  if (certificate)
    beam__tls_names(certificate, noted->subject, sizeof noted->subject, noted->issuer, sizeof noted->issuer);
}

/* To clear the queue takes more than to look whether it has anything. */
static void begin(void) {
  if (ERR_peek_error())
    ERR_clear_error();
  errno = 0;
}

int beam__tls_has_failed(const beam__tls *tls) { return tls->failed; }

void beam__tls_failure(const beam__tls *tls, int system, beam_error *error) {
  const failure *noted = tls->failure;
  char text[96];
  if (tls->short_of_memory) {
    beam__error(error, BEAM_ENO_MEMORY, tls->secured ? BEAM_PHASE_OPEN : BEAM_PHASE_TLS, tls->peer, "out of memory");
  } else if (noted && noted->verify_code) {
    beam__tls_verify_error(error, tls->peer, noted->verify_code, noted->subject, noted->issuer);
  } else {
    beam__tls_handshake_error(error, tls->peer,
                              noted && *noted->reason ? noted->reason : beam__system_text(system, text, sizeof text));
  }
  error->system = system;
}

/* ---- Memory for records ---- */

static int is_between_records(const SSL *ssl) {
  return !SSL_has_pending(ssl) && strcmp(SSL_rstate_string(ssl), "RH") == 0;
}

void beam__tls_rest(beam__tls *tls) {
  if (!tls->in_len && !tls->failed && is_between_records(tls->ssl))
    SSL_free_buffers(tls->ssl);
}

/* It is about to be read or written. */
static void warm(beam__tls *tls) {
  beam__tls **warmed = &tls->profile->ctx->warm;
  if (*warmed == tls)
    return;
  if (*warmed)
    beam__tls_rest(*warmed);
  *warmed = tls;
}

/* ---- Sessions ---- */

static void resume(beam__tls *tls) {
  SSL_SESSION *session = beam__session_take(&tls->profile->sessions, tls->peer);
  if (session)
    SSL_set_session(tls->ssl, session);
  SSL_SESSION_free(session);
}

int beam__tls_on_session(SSL *ssl, SSL_SESSION *session) {
  beam__tls *tls = SSL_get_app_data(ssl);
  if (tls)
    beam__session_keep(&tls->profile->sessions, tls->peer, session);
  return 0; /* OpenSSL's reference stays its own */
}

/* ---- Life ---- */

static beam__tls *new_tls(beam__tls_profile *profile, const char *peer, beam__bytes *out) {
  size_t size = strlen(peer) + 1;
  beam__tls *tls = calloc(1, sizeof *tls + size);
  if (!tls)
    return NULL;
  profile->references++;
  tls->profile = profile;
  tls->out = out;
  memcpy(tls->peer, peer, size);
  ERR_clear_error();
  tls->ssl = SSL_new(profile->ssl);
  if (tls->ssl && join(tls)) {
    SSL_set_app_data(tls->ssl, tls);
    return tls;
  }
  ERR_clear_error();
  beam__tls_free(tls);
  return NULL;
}

beam__tls *beam__tls_client(beam__tls_profile *profile, const char *host, const char *peer, beam__bytes *out) {
  beam__tls *tls = new_tls(profile, peer, out);
  if (tls && !beam__tls_verify(tls->ssl, host, profile->identity.trust != 0)) {
    ERR_clear_error();
    beam__tls_free(tls);
    return NULL;
  }
  if (!tls)
    return NULL;
  SSL_set_connect_state(tls->ssl);
  resume(tls);
  return tls;
}

beam__tls *beam__tls_server(beam__tls_profile *profile, const char *peer, beam__bytes *out) {
  beam__tls *tls = new_tls(profile, peer, out);
  if (tls)
    SSL_set_accept_state(tls->ssl);
  return tls;
}

void beam__tls_free(beam__tls *tls) {
  if (!tls)
    return;
  if (tls->profile->ctx->warm == tls)
    tls->profile->ctx->warm = NULL;
  if (tls->ssl && tls->secured && !tls->failed)
    SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(tls->ssl);
  beam__tls_profile_release(tls->profile);
  free(tls->failure);
  free(tls);
}

/* It waits for the peer, unless there is no memory for what is to be said. */
int beam__tls_start(beam__tls *tls) {
  int result;
  warm(tls);
  begin();
  result = SSL_do_handshake(tls->ssl);
  if (result == 1 || SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
    return 0;
  failed(tls);
  return BEAM_ENO_MEMORY;
}

void beam__tls_finish(beam__tls *tls) {
  warm(tls);
  ERR_clear_error();
  if (tls->secured && !tls->failed)
    SSL_shutdown(tls->ssl);
  ERR_clear_error();
}

/* ---- Bytes ---- */

void beam__tls_put(beam__tls *tls, const void *bytes, size_t len) {
  warm(tls);
  tls->in = bytes;
  tls->in_len = len;
}

/* Before TLS 1.3 a session may be used again, and there need not be a new one. */
static void keep_again(beam__tls *tls) {
  if (!SSL_is_server(tls->ssl) && SSL_session_reused(tls->ssl) && SSL_version(tls->ssl) < TLS1_3_VERSION)
    beam__session_keep(&tls->profile->sessions, tls->peer, SSL_get0_session(tls->ssl));
}

static enum beam__tls_result shake_hands(beam__tls *tls) {
  int result = SSL_do_handshake(tls->ssl);
  if (result != 1)
    return SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ ? BEAM__TLS_MORE : failed(tls);
  tls->secured = 1;
  keep_again(tls);
  return BEAM__TLS_SECURED;
}

int beam__tls_has_more(const beam__tls *tls) { return tls->in_len || tls->untold || SSL_has_pending(tls->ssl); }

/* OpenSSL is not asked for what cannot be there: that takes it as long as a short message. */
enum beam__tls_result beam__tls_read(beam__tls *tls, void *to, size_t size, size_t *len) {
  int result = 1;
  *len = 0;
  tls->untold = 0;
  begin();
  if (!tls->secured)
    return shake_hands(tls);
  warm(tls); /* another may have been since this one's last bytes were put */
  while (*len < size && (result = SSL_read(tls->ssl, (char *)to + *len, (int)(size - *len))) > 0) {
    *len += (size_t)result;
    if (!beam__tls_has_more(tls))
      return BEAM__TLS_DATA;
  }
  if (*len) {
    tls->untold = result <= 0; /* what else came shows at the next reading */
    return BEAM__TLS_DATA;
  }
  switch (SSL_get_error(tls->ssl, result)) {
  case SSL_ERROR_WANT_READ:
    return BEAM__TLS_MORE;
  case SSL_ERROR_ZERO_RETURN:
    return BEAM__TLS_END;
  default:
    return failed(tls);
  }
}

int beam__tls_write(beam__tls *tls, const void *data, size_t len) {
  if (!len || tls->failed)
    return 0;
  warm(tls);
  errno = 0;
  if (SSL_write(tls->ssl, data, (int)len) > 0)
    return 0;
  failed(tls);
  return tls->short_of_memory ? BEAM_ENO_MEMORY : 0;
}
