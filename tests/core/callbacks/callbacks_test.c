/* Callbacks that bite: every event with every call that rule 6 of beam.h allows inside of it. The events of a scene are
 * those that come when it is played; then it is played once for each of them and each call. Nothing may crash or hang,
 * and everybody in it ends exactly once, or is given back and hears no more.
 *
 * BITE=part of a pair's name: that pair, aloud. BITE_EVERY=n: each n-th pair (101; make callbacks: 1). */
#include "certificate.h"
#include "scenes.h"

enum { EVENTS_MAX = 64, EVENT_SIZE = 128, QUIET_MS = 300 /* after which nothing more will come by itself */ };

/* ---- The event that bites ---- */

static struct events {
  char names[EVENTS_MAX][EVENT_SIZE];
  int count;
} events, all_events;

static const char *wanted;
static const char *bitten_event; /* NULL: none, they are only noted */
static const call *bite_call;
static const target *bite_target;
static int bitten, bite_applied, filling, noting;
static long long last_event;

static void note_event(struct events *list, const char *name) {
  int i;
  for (i = 0; i < list->count; i++)
    if (strcmp(list->names[i], name) == 0)
      return;
  if (list->count < EVENTS_MAX)
    snprintf(list->names[list->count++], EVENT_SIZE, "%s", name);
}

static void do_bite(const char *event, party *whose) {
  (void)whose;
  last_event = now_ms();
  if (wanted && filling)
    printf("# %lld fill: %s\n", now_ms(), event);
  if (filling || strncmp(event, "bystander", 9) == 0)
    return; /* the same events as everybody's */
  if (wanted)
    printf("# %lld %s\n", now_ms(), event);
  if (noting)
    note_event(&events, event);
  if (!bitten_event || bitten || strcmp(event, bitten_event) != 0)
    return;
  bitten = 1;
  bite_applied = applies(bite_call, bite_target);
  if (bite_applied)
    bite_call->make(bite_target);
}

/* ---- A pair ---- */

/* A pause ends with the step it was made in: what is asked is that nothing breaks, not that nothing comes. */
static void resume_all(void) {
  int i;
  for (i = 0; i < w.party_count; i++) {
    if (w.parties[i].ws)
      beam_ws_resume(w.parties[i].ws);
    if (w.parties[i].http)
      beam_http_resume(w.parties[i].http);
  }
}

static int is_over(const party *p) { return p->ended || (!p->ws && !p->http && !p->waits); }

static int over(void) {
  int i;
  for (i = 0; i < w.party_count; i++) {
    const party *p = &w.parties[i];
    int concerns = p == w.self || p == w.self_peer || strstr(p->name, "bite");
    if (concerns && !is_over(p) && !(p == w.self_peer && w.self && is_over(w.self) && !w.self->ws))
      return 0;
  }
  return 1;
}

/* Those whom the bite may have left waiting for what nobody sends are given up in the end, as a user would. */
static void end_the_rest(void) {
  int i;
  for (i = 0; i < w.party_count; i++) {
    party *p = &w.parties[i];
    if (p->leaves)
      p->ended = 1; /* the bite has answered it: nobody has gone */
    else if (p->ws && !p->ended)
      beam_ws_close(p->ws, 1001, NULL);
    else if (p->http && !p->ended && p != w.self)
      give_back(p);
  }
}

static void describe(void) {
  int i;
  for (i = 0; i < w.party_count; i++)
    printf("#   %s: ws %p http %p ended %d late %d failed %d\n", w.parties[i].name, (void *)w.parties[i].ws,
           (void *)w.parties[i].http, w.parties[i].ended, w.parties[i].late, w.parties[i].failed);
}

static int play(const scene *s) {
  long long begun;
  int i, ended = 0, good = 1;
  bitten = bite_applied = 0;
  w.party_count = 0;
  filling = 1;
  fill_world(s->secure);
  filling = 0;
  begun = last_event = now_ms();
  noting = bitten_event == NULL;
  s->play();
  while (!over() && now_ms() < begun + PATIENCE_MS) {
    beam_step(w.ctx, 5);
    resume_all();
    if (!ended && now_ms() > last_event + QUIET_MS) {
      ended = 1;
      end_the_rest();
    }
  }
  noting = 0;
  good &= CHECK(over());
  for (i = 0; i < w.party_count; i++)
    good = CHECK(w.parties[i].ended <= 1) && CHECK(w.parties[i].late == 0) && good;
  if (!good)
    describe();
  clear_world();
  return good;
}

/* ---- All pairs of a scene ---- */

static int pairs, pairs_bitten, pairs_bad, pair_number, every = 101;

static void play_pair(const scene *s, const char *event) {
  char name[512];
  int again;
  snprintf(name, sizeof name, "%s; %s; %s %s", s->name, event, bite_call->function, bite_target->name);
  if ((wanted && !strstr(name, wanted)) || pair_number++ % every)
    return;
  pairs++;
  if (wanted)
    printf("# %s\n", name), fflush(stdout);
  bitten_event = event;
  for (again = 0; again < 3; again++) {
    if (!play(s)) {
      printf("# %s\n", name), fflush(stdout);
      pairs_bad++;
      break;
    }
    if (bitten)
      break;
  }
  bitten_event = NULL;
  pairs_bitten += bitten;
  if (!bitten)
    printf("# did not come: %s\n", name);
}

static void play_scene(const scene *s) {
  int event, c, t;
  events.count = 0;
  CHECK(play(s));
  for (event = 0; event < events.count; event++) {
    note_event(&all_events, events.names[event]);
    for (c = 0; c < CALLS; c++)
      for (t = 0; t < TARGETS; t++)
        if (calls[c].kind == targets[t].kind) {
          bite_call = &calls[c];
          bite_target = &targets[t];
          play_pair(s, events.names[event]);
        }
  }
}

static void begin_context(int secure) {
  CHECK_INT(beam_new(&w.ctx, NULL), 0);
  CHECK(listen_at(&w.server, 0, secure));
  w.port = beam_server_port(w.server);
}

static void end_context(void) {
  beam_server_close(w.server);
  beam_server_close(w.second);
  w.server = w.second = NULL;
  beam_step(w.ctx, 0);
  beam_close(w.ctx);
}

static void every_event_with_every_call(void) {
  int i;
  for (i = 0; i < SCENES; i++) {
    long long begun = now_ms();
    int before = pairs;
    begin_context(scenes[i].secure);
    play_scene(&scenes[i]);
    end_context();
    printf("# %s: %d events, %d pairs, %lld ms\n", scenes[i].name, events.count, pairs - before, now_ms() - begun);
    fflush(stdout);
  }
  printf("# %d pairs, %d bitten, %d bad\n", pairs, pairs_bitten, pairs_bad);
  CHECK_INT(pairs_bad, 0);
  CHECK(wanted || pairs_bitten > 0);
}

/* ---- Nothing is missing ---- */

static int in_table(const char *function) {
  size_t i;
  for (i = 0; i < CALLS; i++)
    if (strcmp(calls[i].function, function) == 0)
      return 1;
  for (i = 0; i < sizeof left_out / sizeof *left_out; i++)
    if (strcmp(left_out[i], function) == 0)
      return 1;
  return 0;
}

static int check_header(const char *path) {
  FILE *file = fopen(path, "r");
  char line[512], name[128];
  int found = 0;
  while (file && fgets(line, sizeof line, file)) {
    const char *at = strncmp(line, "BEAM_API ", 9) ? NULL : strstr(line + 9, "beam_");
    while (at && strchr(at, '(') && sscanf(at, "%127[a-z0-9_]", name) == 1 && at[strlen(name)] != '(')
      at = strstr(at + strlen(name), "beam_"); /* the type of what it returns */
    if (!at)
      continue;
    found++;
    if (!CHECK(in_table(name)))
      printf("# %s is in %s, not in calls.h\n", name, path);
  }
  CHECK(file != NULL);
  if (file)
    fclose(file);
  return found;
}

static void every_function_of_the_headers(void) {
  CHECK(check_header("core/beam.h") > 30);
  CHECK(check_header("core/beam-server.h") > 10);
}

static int came(const char *part) {
  int i;
  for (i = 0; i < all_events.count; i++)
    if (strstr(all_events.names[i], part))
      return 1;
  printf("# never came: %s\n", part);
  return 0;
}

static void every_event_of_the_headers(void) {
  static const char *const parts[] = {"phase dns",
                                      "phase tcp",
                                      "phase proxy",
                                      "phase tls",
                                      "phase upgrade",
                                      "phase open",
                                      "phase closing",
                                      "phase closed",
                                      "WebSocket open",
                                      "message whole",
                                      "message first",
                                      "message last",
                                      "WebSocket ping",
                                      "WebSocket pong",
                                      "WebSocket drained",
                                      "closed in order",
                                      "closed rejected",
                                      "closed closed",
                                      "closed too_large",
                                      "closed connect",
                                      "closed timeout",
                                      "exchange headers",
                                      "exchange data",
                                      "exchange drained",
                                      "exchange done",
                                      "done too_large",
                                      "done connect",
                                      "done timeout",
                                      "scene: timer",
                                      "scene: read",
                                      "scene: end of",
                                      "server: request",
                                      "request for an upgr",
                                      "client has gone",
                                      "server's: WebSocket message",
                                      "server's: WebSocket closed"};
  size_t i;
  for (i = 0; i < sizeof parts / sizeof *parts; i++)
    CHECK(came(parts[i]));
}

int main(void) {
  bite = do_bite;
  wanted = getenv("BITE");
  every = getenv("BITE_EVERY") ? atoi(getenv("BITE_EVERY")) : wanted ? 1 : every;
  if (pipe(w.pipe))
    return 1;
  snprintf(w.ca_file, sizeof w.ca_file, "/tmp/beam-callbacks-%d.pem", (int)getpid());
  write_certificate(w.ca_file);
  proxy_start(&w.proxy);
  RUN(every_function_of_the_headers);
  RUN(every_event_with_every_call);
  if (!wanted)
    RUN(every_event_of_the_headers);
  proxy_stop(&w.proxy);
  unlink(w.ca_file);
  return test_end();
}
