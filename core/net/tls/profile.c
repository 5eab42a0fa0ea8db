#include "net/tls/profile.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls/connection.h"
#include "net/tls/files.h"

enum { PROFILES_MAX = 16 };

struct beam__tls_profiles {
  beam__owned owned;
  beam_ctx *ctx;
  beam__node list; /* the most recently used at the end; each is referred to */
};

/* ---- An SSL_CTX ---- */

static int refuse(beam_error *error, const char *what, const char *path) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  return beam__invalid(error, "%s cannot be used (%s): %.300s", what, reason ? reason : "unknown reason", path);
}

static int load_certificate(SSL_CTX *ssl, const beam_tls *files, const char *whose, beam_error *error) {
  char what[64];
  if (!files->cert_file)
    return 0;
  snprintf(what, sizeof what, "the %s certificate", whose);
  if (SSL_CTX_use_certificate_chain_file(ssl, files->cert_file) != 1)
    return refuse(error, what, files->cert_file);
  snprintf(what, sizeof what, "the %s certificate's key", whose);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, (void *)(uintptr_t)files->key_passphrase);
  if (SSL_CTX_use_PrivateKey_file(ssl, files->key_file, SSL_FILETYPE_PEM) != 1)
    return refuse(error, what, files->key_file);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL); /* it is the caller's */
  return 0;
}

static const unsigned char http[] = "\x08http/1.1";

static SSL_CTX *make_plain_ssl(const SSL_METHOD *method) {
  SSL_CTX *ssl = SSL_CTX_new(method);
  if (!ssl)
    return NULL;
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(ssl, beam__tls_passphrase);
  return ssl;
}

/* The sessions are kept by us: OpenSSL's own cache is for servers. */
static SSL_CTX *make_ssl(const beam__trust *trust) {
  SSL_CTX *ssl = make_plain_ssl(TLS_client_method());
  if (!ssl)
    return NULL;
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, beam__tls_on_session);
  SSL_CTX_set_alpn_protos(ssl, http, sizeof http - 1);
  if (trust)
    SSL_CTX_set1_cert_store(ssl, beam__trust_store(trust));
  return ssl;
}

/* ---- References ---- */

void beam__tls_profile_release(beam__tls_profile *profile) {
  if (!profile || --profile->references)
    return;
  beam__sessions_free(&profile->sessions);
  SSL_CTX_free(profile->ssl);
  free(profile);
}

static void keep_no_longer(beam__tls_profile *profile) {
  beam__list_remove(&profile->node);
  beam__tls_profile_release(profile);
}

/* Takes over `ssl`; NULL: there was no memory for it. */
static int make_profile(beam_ctx *ctx, SSL_CTX *ssl, const beam_tls *files, const char *whose, beam__tls_profile **out,
                        beam_error *error) {
  beam__tls_profile *profile = calloc(1, sizeof *profile);
  int code = profile && ssl ? load_certificate(ssl, files, whose, error) : beam__no_memory(error);
  ERR_clear_error();
  if (code) {
    SSL_CTX_free(ssl);
    free(profile);
    return code;
  }
  profile->ctx = ctx;
  profile->references = 1;
  profile->ssl = ssl;
  beam__sessions_init(&profile->sessions);
  *out = profile;
  return 0;
}

/* ---- A server's ---- */

/* Who asks for other protocols only is not refused: it may speak HTTP/1.1 all the same. */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
                           unsigned offered_len, void *user) {
  (void)ssl, (void)user;
  return SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, len, http, sizeof http - 1, offered, offered_len) ==
                 OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_NOACK;
}

int beam__tls_profile_serve(beam_ctx *ctx, beam__tls_profile **out, const beam_tls *files, beam_error *error) {
  SSL_CTX *ssl = make_plain_ssl(TLS_server_method());
  if (ssl)
    SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
  return make_profile(ctx, ssl, files, "server", out, error);
}

/* ---- The profiles of a beam_ctx ---- */

static void destroy(beam__owned *owned) {
  struct beam__tls_profiles *profiles = BEAM__CONTAINER(owned, struct beam__tls_profiles, owned);
  while (!beam__list_empty(&profiles->list))
    keep_no_longer(BEAM__CONTAINER(profiles->list.next, beam__tls_profile, node));
  profiles->ctx->tls = NULL;
  free(profiles);
}

static struct beam__tls_profiles *profiles_of(beam_ctx *ctx) {
  struct beam__tls_profiles *profiles = ctx->tls;
  if (profiles || ctx->closing)
    return profiles;
  profiles = calloc(1, sizeof *profiles);
  if (!profiles)
    return NULL;
  profiles->ctx = ctx;
  beam__list_init(&profiles->list);
  beam__own(ctx, &profiles->owned, destroy);
  return ctx->tls = profiles;
}

static beam__tls_profile *find(struct beam__tls_profiles *profiles, const struct beam__tls_identity *identity) {
  beam__node *node;
  for (node = profiles->list.next; node != &profiles->list; node = node->next) {
    beam__tls_profile *found = BEAM__CONTAINER(node, beam__tls_profile, node);
    if (memcmp(&found->identity, identity, sizeof *identity) == 0)
      return found;
  }
  return NULL;
}

/* Moves it to the end, or adds it there. */
static void use(struct beam__tls_profiles *profiles, beam__tls_profile *profile) {
  beam__list_remove(&profile->node);
  beam__list_add(&profiles->list, &profile->node);
  if (beam__list_count(&profiles->list) > PROFILES_MAX)
    keep_no_longer(BEAM__CONTAINER(profiles->list.next, beam__tls_profile, node));
}

static int get_profile(beam_ctx *ctx, beam__tls_needs *needs, beam_error *error) {
  struct beam__tls_profiles *profiles = profiles_of(ctx);
  struct beam__tls_identity identity = {.trust = needs->trust ? beam__trust_id(needs->trust) : 0};
  beam__tls_profile *found;
  int code;
  if (!profiles || beam__tls_identify(&needs->files, NULL, identity.shown))
    return beam__no_memory(error);
  found = find(profiles, &identity);
  if (!found && (code = make_profile(ctx, make_ssl(needs->trust), &needs->files, "client", &found, error)))
    return code;
  found->identity = identity;
  use(profiles, found);
  found->references++;
  needs->profile = found;
  return 0;
}

/* ---- What one connection needs ---- */

static int copy_text(const char **to, const char *from) {
  if (!beam__is_given(from))
    return 0;
  *to = beam__strdup(from);
  return *to ? 0 : BEAM_ENO_MEMORY;
}

int beam__tls_needs_start(beam_ctx *ctx, beam__tls_needs *needs, const beam_tls *options, beam_error *error) {
  const char *ca_file = beam__tls_ca_file(options);
  if (!options->insecure && !ca_file)
    return beam__invalid(error, "no CA bundle was found: install ca-certificates, or set tls.ca_file");
  if (!options->insecure && !(needs->trust = beam__trust_of(ctx, ca_file)))
    return BEAM_ENO_MEMORY;
  if (copy_text(&needs->files.cert_file, options->cert_file) ||
      copy_text(&needs->files.key_passphrase, options->key_passphrase))
    return BEAM_ENO_MEMORY;
  return copy_text(&needs->files.key_file, options->key_file);
}

int beam__tls_needs_await(beam__tls_needs *needs, void (*ready)(void *user), void *user) {
  if (!needs->trust || beam__trust_state(needs->trust) != BEAM__TRUST_LOADING)
    return 0;
  beam__trust_await(needs->trust, &needs->waiter, ready, user);
  return 1;
}

int beam__tls_needs_make(beam_ctx *ctx, beam__tls_needs *needs, beam_error *error) {
  if (needs->trust && beam__trust_state(needs->trust) != BEAM__TRUST_READY)
    return beam__error(error, beam__trust_code(needs->trust), BEAM_PHASE_NONE, NULL, "%s",
                       beam__trust_error(needs->trust));
  return get_profile(ctx, needs, error);
}

void beam__tls_needs_release(beam__tls_needs *needs) {
  beam__trust_forget(&needs->waiter);
  beam__trust_release(needs->trust);
  beam__tls_profile_release(needs->profile);
  free((char *)(uintptr_t)needs->files.cert_file);
  free((char *)(uintptr_t)needs->files.key_file);
  beam__wipe_free((char *)(uintptr_t)needs->files.key_passphrase);
  memset(needs, 0, sizeof *needs);
}
