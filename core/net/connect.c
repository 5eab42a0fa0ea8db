/* The race: at any time an attempt runs, or all have failed. */
#include "net/connect.h"

enum { STAGGER_MS = 250 }; /* RFC 8305 section 8: Connection Attempt Delay */

static void start_next(beam__race *race);

static void on_stagger(void *user) {
  beam__race *race = user;
  race->stagger = NULL;
  start_next(race);
}

/* Without memory for the timer the next address waits for this one to fail. */
static void arm(beam__race *race) {
  if (race->next < race->count)
    beam_timer_start(race->ctx, &race->stagger, STAGGER_MS, on_stagger, race);
}

static void start_next(beam__race *race) {
  while (race->next < race->count) {
    if (race->attempt(race->user, race->next++) == 0) {
      race->running++;
      arm(race);
      return;
    }
  }
  if (!race->running)
    race->lost(race->user);
}

void beam__race_start(beam__race *race) { start_next(race); }

void beam__race_failed(beam__race *race) {
  race->running--;
  beam_timer_stop(race->stagger);
  race->stagger = NULL;
  start_next(race);
}

void beam__race_stop(beam__race *race) {
  beam_timer_stop(race->stagger);
  race->stagger = NULL;
  race->next = race->count;
}
