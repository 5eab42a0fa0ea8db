/* SSL_CTXs, one for each set of options and state of its files; and the two callbacks that make up for what
 * libwebsockets 4.1.6 lacks: one checks the certificate, one notes what goes wrong and keeps SIGPIPE away.
 */
#include "carrier/lws_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/tls/quiet_bio.h"
#include "net/tls/verify.h"

enum { CONTEXTS_MAX = 16 };

typedef struct entry {
  beam__node node;
  SSL_CTX *context;
  char *key; /* the options, and the state of the files they name; `key_len` bytes */
  size_t key_len;
} entry;

/* ---- The handshake ---- */

static int peer_index;
static pthread_once_t peer_index_once = PTHREAD_ONCE_INIT;

static void make_peer_index(void) { peer_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

void beam__tls_forget(SSL *ssl) {
  if (ssl)
    SSL_set_ex_data(ssl, peer_index, NULL);
}

/* RFC 6066 section 3: an address is not named in the SNI. */
static int is_address(const char *host) {
  ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
  ASN1_OCTET_STRING_free(address);
  return address != NULL;
}

static void begin(SSL *ssl, struct beam__lws *lws) {
  beam__tls_peer *peer = beam__tls_peer_find(lws, SSL_get_fd(ssl));
  SSL_set_ex_data(ssl, peer_index, peer);
  beam__quiet_bio_use(ssl);
  if (!peer)
    return;
  SSL_set_tlsext_host_name(ssl, (is_address(peer->host) ? NULL : (char *)(uintptr_t)peer->host));
  peer->started(peer->user);
}

/* The queue of errors is emptied by libwebsockets before it tells us that something failed. */
static void note_failure(beam__tls_peer *peer) {
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  if (reason && !*peer->reason)
    snprintf(peer->reason, sizeof peer->reason, "%s", reason);
}

static void on_info(const SSL *shared, int where, int value) {
  SSL *ssl = (SSL *)(uintptr_t)shared; /* OpenSSL hands out its own object as const */
  struct beam__lws *lws = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
  beam__tls_peer *peer = SSL_get_ex_data(ssl, peer_index);
  lws->depth++;
  if (where & SSL_CB_HANDSHAKE_START && !peer && !SSL_is_init_finished(ssl))
    begin(ssl, lws);
  else if (peer && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
    snprintf(peer->reason, sizeof peer->reason, "the peer sent the alert \"%s\"", SSL_alert_desc_string_long(value));
  else if (peer && where == SSL_CB_CONNECT_EXIT && value <= 0)
    note_failure(peer);
  lws->depth--;
}

static int expect_host(X509_VERIFY_PARAM *param, const char *host) {
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, host))
    return X509_VERIFY_PARAM_set1_host(param, NULL, 0);
  return X509_VERIFY_PARAM_set1_host(param, host, 0);
}

static void note_certificate(beam__tls_peer *peer, X509_STORE_CTX *store) {
  X509 *certificate = X509_STORE_CTX_get_current_cert(store);
  peer->verify_code = X509_STORE_CTX_get_error(store);
  if (!certificate)
    return;
  X509_NAME_oneline(X509_get_subject_name(certificate), peer->subject, sizeof peer->subject);
  X509_NAME_oneline(X509_get_issuer_name(certificate), peer->issuer, sizeof peer->issuer);
}

/* In place of OpenSSL's own check, with the host as it was asked for. */
static int verify(X509_STORE_CTX *store, void *user) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  beam__tls_peer *peer = SSL_get_ex_data(ssl, peer_index);
  (void)user;
  if (!peer || !expect_host(X509_STORE_CTX_get0_param(store), peer->host)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  if (X509_verify_cert(store) == 1)
    return 1;
  note_certificate(peer, store);
  return 0;
}

static int accept_any(X509_STORE_CTX *store, void *user) {
  (void)user;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

/* ---- An SSL_CTX ---- */

/* Without this OpenSSL would ask for the key's password on the terminal, and wait. */
static int no_password(char *to, int size, int writing, void *user) {
  (void)to, (void)size, (void)writing, (void)user;
  return 0;
}

static int refuse(beam_error *error, const char *what, const char *path) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "%s cannot be used (%s): %.300s", what,
                     reason ? reason : "unknown reason", path);
}

static void set_trust(SSL_CTX *context, const beam__trust *trust) {
  SSL_CTX_set_cert_verify_callback(context, trust ? verify : accept_any, NULL);
  if (trust)
    SSL_CTX_set1_cert_store(context, beam__trust_store(trust));
}

static int load_certificate(SSL_CTX *context, const beam_tls *options, beam_error *error) {
  if (!options->cert_file)
    return 0;
  if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
    return refuse(error, "the client certificate", options->cert_file);
  if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1)
    return refuse(error, "the client certificate's key", options->key_file);
  return 0;
}

static int make_context(struct beam__lws *lws, const beam_tls *options, const beam__trust *trust, SSL_CTX **out,
                        beam_error *error) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  int code;
  if (!context)
    return beam__error(error, BEAM_ENO_MEMORY, BEAM_PHASE_NONE, NULL, "out of memory");
  ERR_clear_error();
  SSL_CTX_set_app_data(context, lws);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  SSL_CTX_set_info_callback(context, on_info);
  set_trust(context, trust);
  code = load_certificate(context, options, error);
  ERR_clear_error();
  if (code)
    SSL_CTX_free(context);
  else
    *out = context;
  return code;
}

/* ---- The cache ---- */

static void add_file(beam__bytes *key, const char *path, int *failed) {
  struct stat state = {0};
  if (path)
    stat(path, &state);
  *failed |= beam__bytes_format(key, "%s%c%llu/%lld/%lld.%ld%c", path ? path : "", 0, (unsigned long long)state.st_ino,
                                (long long)state.st_size, (long long)state.st_mtim.tv_sec, state.st_mtim.tv_nsec, 0);
}

/* NULL: out of memory. */
static char *make_key(const beam_tls *options, const beam__trust *trust, size_t *len) {
  beam__bytes key = {0};
  int failed = beam__bytes_format(&key, "%u%c", trust ? beam__trust_id(trust) : 0, 0);
  add_file(&key, options->cert_file, &failed);
  add_file(&key, options->key_file, &failed);
  *len = key.len;
  if (failed)
    beam__bytes_free(&key);
  return key.at;
}

static void free_entry(entry *old) {
  beam__list_remove(&old->node);
  SSL_CTX_free(old->context);
  free(old->key);
  free(old);
}

void beam__tls_contexts_free(struct beam__lws *lws) {
  while (!beam__list_empty(&lws->tls))
    free_entry(BEAM__CONTAINER(lws->tls.next, entry, node));
}

static entry *find(struct beam__lws *lws, const char *key, size_t len) {
  beam__node *node;
  for (node = lws->tls.next; node != &lws->tls; node = node->next) {
    entry *found = BEAM__CONTAINER(node, entry, node);
    if (found->key_len == len && memcmp(found->key, key, len) == 0)
      return found;
  }
  return NULL;
}

static int add(struct beam__lws *lws, SSL_CTX *context, char *key, size_t len) {
  beam__node *node;
  size_t count = 0;
  entry *made = calloc(1, sizeof *made);
  if (!made)
    return BEAM_ENO_MEMORY;
  for (node = lws->tls.next; node != &lws->tls; node = node->next)
    count++;
  if (count >= CONTEXTS_MAX)
    free_entry(BEAM__CONTAINER(lws->tls.next, entry, node));
  made->context = context;
  made->key = key;
  made->key_len = len;
  beam__list_init(&made->node);
  beam__list_add(&lws->tls, &made->node);
  return 0;
}

/* The reference is the caller's. */
static int get_context(struct beam__lws *lws, const beam_tls *options, const beam__trust *trust, SSL_CTX **out,
                       beam_error *error) {
  size_t len;
  char *key = make_key(options, trust, &len);
  entry *found = key ? find(lws, key, len) : NULL;
  int code = 0;
  pthread_once(&peer_index_once, make_peer_index);
  if (found) {
    *out = found->context;
    free(key);
  } else {
    code = key ? make_context(lws, options, trust, out, error) : BEAM_ENO_MEMORY;
    if (!code && add(lws, *out, key, len)) {
      SSL_CTX_free(*out);
      code = BEAM_ENO_MEMORY;
    }
    if (code)
      free(key);
  }
  if (code == BEAM_ENO_MEMORY)
    beam__error(error, code, BEAM_PHASE_NONE, NULL, "out of memory");
  if (!code)
    SSL_CTX_up_ref(*out);
  return code;
}

/* ---- What one connection needs ---- */

static int copy_path(const char **to, const char *from) {
  if (!from || !*from)
    return 0;
  *to = beam__strdup(from);
  return *to ? 0 : BEAM_ENO_MEMORY;
}

int beam__tls_needs_start(beam_ctx *ctx, beam__tls_needs *needs, const beam_tls *options, beam_error *error) {
  const char *ca_file = options->ca_file && *options->ca_file ? options->ca_file : beam__tls_ca_bundle();
  if (!options->insecure && !ca_file)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL,
                       "no CA bundle was found: install ca-certificates, or set tls.ca_file");
  if (!options->insecure && !(needs->trust = beam__trust_of(ctx, ca_file)))
    return BEAM_ENO_MEMORY;
  if (copy_path(&needs->files.cert_file, options->cert_file))
    return BEAM_ENO_MEMORY;
  return copy_path(&needs->files.key_file, options->key_file);
}

int beam__tls_needs_await(beam__tls_needs *needs, void (*ready)(void *user), void *user) {
  if (!needs->trust || beam__trust_state(needs->trust) != BEAM__TRUST_LOADING)
    return 0;
  beam__trust_await(needs->trust, &needs->waiter, ready, user);
  return 1;
}

int beam__tls_needs_make(struct beam__lws *lws, beam__tls_needs *needs, beam_error *error) {
  if (needs->trust && beam__trust_state(needs->trust) != BEAM__TRUST_READY)
    return beam__error(error, BEAM_EINVALID, BEAM_PHASE_NONE, NULL, "%s", beam__trust_error(needs->trust));
  return get_context(lws, &needs->files, needs->trust, &needs->context, error);
}

void beam__tls_needs_release(beam__tls_needs *needs) {
  beam__trust_forget(&needs->waiter);
  beam__trust_release(needs->trust);
  SSL_CTX_free(needs->context);
  free((char *)(uintptr_t)needs->files.cert_file);
  free((char *)(uintptr_t)needs->files.key_file);
}
