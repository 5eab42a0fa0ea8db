/* beam.line: the prompt's line editor, on libedit (BSD licence). It is loaded for a prompt only, and nothing else needs
 * it.
 *
 *   line.open(program) -> editor | nil
 *   editor:read(prompt, wait, complete) -> text | nil, "end" | nil, "interrupted"
 *     wait() -> bytes | "" at the end | nil: interrupted. It is called for each byte that is missing: the event loop
 *       turns in it, so that connections live on while the editor waits.
 *     complete(text before the cursor) -> bytes to insert | nil, list to show | nil
 *   editor:add(text)      to the history
 *   editor:refresh()      after something was written: shows the prompt and the line again
 *   editor:leave()        gives the terminal back; may be called in wait, and twice
 *   editor:enter()        takes it again, in wait, and shows the prompt and the line
 *
 * After Ctrl-Z and fg the terminal is in the editor's mode again; a window of another size is noticed at the next key.
 *
 * An error raised in wait or complete does not cross libedit: the line ends, and editor:read raises it. */
#include <errno.h>
#include <histedit.h>
#include <lauxlib.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000 };

struct editor {
  EditLine *line;
  History *history;
  lua_State *L;       /* of the read that goes on */
  const char *prompt; /* on its stack, as are wait (3) and complete (4) */
  const char *bytes;  /* read and not used yet; kept in the user value */
  size_t left;
  int failed; /* the error is on top of its stack */
};

static const char *const class = "beam.line";

static struct editor *check(lua_State *L) {
  struct editor *editor = luaL_checkudata(L, 1, class);
  luaL_argcheck(L, editor->line, 1, "the editor is closed");
  return editor;
}

static struct editor *of(EditLine *line) {
  void *editor = NULL;
  el_get(line, EL_CLIENTDATA, &editor);
  return editor;
}

static char *prompt(EditLine *line) { return (char *)of(line)->prompt; }

/* ---- Ctrl-Z ---- */

/* A shell sets its own modes while we are stopped. What may be called in a handler puts ours back: a line is being
 * edited if there are any. */
static struct termios edit_mode;
static volatile sig_atomic_t editing;

static void on_continue(int number) {
  int kept = errno;
  (void)number;
  if (editing && tcsetattr(STDIN_FILENO, TCSADRAIN, &edit_mode) != 0)
    editing = 0;
  errno = kept;
}

/* ---- The window's size ---- */

static volatile sig_atomic_t resized;

static void on_resize(int number) {
  (void)number;
  resized = 1;
}

static void take_size(EditLine *line) {
  if (resized) {
    resized = 0;
    el_resize(line);
  }
}

static void watch(int number, void (*handler)(int number)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

/* ---- Input ---- */

/* Asks wait() for more. 1, 0 at the end, -1 if the line is to end; an error is left on the stack. */
static int fill(struct editor *editor) {
  lua_State *L = editor->L;
  editing = editing || tcgetattr(STDIN_FILENO, &edit_mode) == 0;
  lua_pushvalue(L, 3);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
    editor->failed = 1;
    return -1;
  }
  if (!editor->line || !lua_isstring(L, -1)) {
    lua_pop(L, 1);
    return -1;
  }
  take_size(editor->line);
  editor->bytes = lua_tolstring(L, -1, &editor->left);
  lua_setiuservalue(L, 1, 1);
  return editor->left > 0;
}

/* One character of the terminal's encoding; bytes that are none are dropped. */
static int read_character(EditLine *line, wchar_t *character) {
  struct editor *editor = of(line);
  mbstate_t state;
  memset(&state, 0, sizeof state);
  for (;;) {
    size_t used;
    int got = editor->left ? 1 : fill(editor);
    if (got <= 0)
      return got;
    used = mbrtowc(character, editor->bytes, 1, &state);
    editor->bytes++;
    editor->left--;
    if (used == (size_t)-1)
      memset(&state, 0, sizeof state);
    else if (used != (size_t)-2)
      return 1;
  }
}

/* ---- Completion ---- */

static void show(lua_State *L, int list) {
  lua_Integer i, count = luaL_len(L, list);
  fputc('\n', stdout);
  for (i = 1; i <= count; i++) {
    lua_geti(L, list, i);
    printf("%s%s", luaL_tolstring(L, -1, NULL), i < count ? "  " : "\n");
    lua_pop(L, 2);
  }
  fflush(stdout);
}

static unsigned char complete(EditLine *line, int key) {
  struct editor *editor = of(line);
  lua_State *L = editor->L;
  const LineInfo *info = el_line(line);
  unsigned char result = CC_ERROR;
  (void)key;
  lua_pushvalue(L, 4);
  lua_pushlstring(L, info->buffer, (size_t)(info->cursor - info->buffer));
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    lua_pop(L, 1); /* looking at values runs the user's metamethods: no completion, no harm */
    return CC_ERROR;
  }
  if (lua_isstring(L, -2) && el_insertstr(line, lua_tostring(L, -2)) == 0)
    result = CC_REFRESH;
  if (lua_istable(L, -1)) {
    show(L, lua_absindex(L, -1));
    result = CC_REDISPLAY;
  }
  lua_pop(L, 2);
  return result;
}

/* ---- Ctrl-D before there was a prompt ---- */

/* Typed while a line ran, in the terminal's own mode, it is an end of file there; in the editor's mode that is read as
 * a zero byte (Linux, n_tty.c). */
static unsigned char end_or_nothing(EditLine *line, int key) {
  const LineInfo *info = el_line(line);
  (void)key;
  return info->lastchar == info->buffer ? CC_EOF : CC_NORM;
}

/* ---- Methods ---- */

static int push_outcome(lua_State *L, struct editor *editor, const char *text, int length) {
  if (editor->failed)
    return lua_error(L);
  if (text && length > 0) {
    lua_pushlstring(L, text, (size_t)length - (text[length - 1] == '\n'));
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, length < 0 || !editor->line ? "interrupted" : "end");
  return 2;
}

static int read_line(lua_State *L) {
  struct editor *editor = check(L);
  const char *text;
  int length = 0;
  luaL_checkstring(L, 2);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  luaL_checktype(L, 4, LUA_TFUNCTION);
  lua_settop(L, 4);
  editor->L = L;
  editor->prompt = lua_tostring(L, 2);
  editor->failed = 0;
  el_resize(editor->line);
  text = el_gets(editor->line, &length);
  editing = 0;
  if (!text || length < 0)
    el_reset(editor->line); /* the terminal as it was, the line forgotten */
  return push_outcome(L, editor, text, length);
}

static int add(lua_State *L) {
  struct editor *editor = check(L);
  HistEvent event;
  history(editor->history, &event, H_ENTER, luaL_checkstring(L, 2));
  return 0;
}

static int refresh(lua_State *L) {
  el_set(check(L)->line, EL_REFRESH);
  return 0;
}

/* The terminal's modes; libedit's memory stays until the collector comes, as it may be in use below. */
static int leave(lua_State *L) {
  struct editor *editor = luaL_checkudata(L, 1, class);
  editing = 0;
  if (editor->line)
    el_set(editor->line, EL_PREP_TERM, 0);
  return 0;
}

static int enter(lua_State *L) {
  struct editor *editor = check(L);
  el_set(editor->line, EL_PREP_TERM, 1);
  el_set(editor->line, EL_REFRESH);
  return 0;
}

static int collect(lua_State *L) {
  struct editor *editor = luaL_checkudata(L, 1, class);
  if (editor->line)
    el_end(editor->line);
  if (editor->history)
    history_end(editor->history);
  editor->line = NULL;
  editor->history = NULL;
  return 0;
}

/* ---- Making one ---- */

static void set_up(struct editor *editor) {
  HistEvent event;
  history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
  history(editor->history, &event, H_SETUNIQUE, 1);
  el_set(editor->line, EL_CLIENTDATA, editor);
  el_set(editor->line, EL_PROMPT, prompt);
  el_set(editor->line, EL_EDITOR, "emacs");
  el_set(editor->line, EL_SIGNAL, 0);
  el_set(editor->line, EL_HIST, history, editor->history);
  el_set(editor->line, EL_ADDFN, "beam-complete", "completes a name", complete);
  el_set(editor->line, EL_BIND, "\t", "beam-complete", NULL);
  el_set(editor->line, EL_ADDFN, "beam-end", "ends the input, on an empty line", end_or_nothing);
  el_set(editor->line, EL_BIND, "^@", "beam-end", NULL);
  el_set(editor->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(editor->line, EL_BIND, "\\e[1~", "ed-move-to-beg", NULL);
  el_set(editor->line, EL_BIND, "\\e[4~", "ed-move-to-end", NULL);
  el_set(editor->line, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
  el_set(editor->line, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
  el_set(editor->line, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
  el_source(editor->line, NULL); /* ~/.editrc: the user's own keys */
  el_set(editor->line, EL_GETCFN, read_character);
}

static int open_editor(lua_State *L) {
  const char *program = luaL_checkstring(L, 1);
  struct editor *editor = lua_newuserdatauv(L, sizeof *editor, 1);
  memset(editor, 0, sizeof *editor);
  luaL_setmetatable(L, class);
  setlocale(LC_CTYPE, "");
  editor->line = el_init(program, stdin, stdout, stderr);
  editor->history = history_init();
  if (!editor->line || !editor->history)
    return 0;
  set_up(editor);
  watch(SIGCONT, on_continue);
  watch(SIGWINCH, on_resize);
  return 1;
}

__attribute__((visibility("default"))) int luaopen_beam_line(lua_State *L);

int luaopen_beam_line(lua_State *L) {
  static const luaL_Reg methods[] = {{"read", read_line}, {"add", add},      {"refresh", refresh}, {"leave", leave},
                                     {"enter", enter},    {"__gc", collect}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"open", open_editor}, {NULL, NULL}};
  luaL_newmetatable(L, class);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  luaL_setfuncs(L, methods, 0);
  luaL_newlib(L, functions);
  return 1;
}
