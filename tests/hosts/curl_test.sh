#!/bin/sh
# Every route of the local Beam that docs/serve.md names, asked with curl.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/hosts/local_beam.sh
local_beam tests/hosts/sdk/app.lua --token t0ken --quiet
count=0 failed=0

# check NAME PATTERN TEXT: the text matches the extended regular expression
check() {
  count=$((count + 1))
  if printf '%s\n' "$3" | grep -Eq -- "$2"; then
    echo "ok $count - $1"
  else
    failed=$((failed + 1))
    echo "not ok $count - $1"
    printf '# wanted: %s\n# got: %s\n' "$2" "$3"
  fi
}

# ask METHOD PATH [ARGUMENT]…: the body, and the status after a space
ask() {
  method=$1 path=$2
  shift 2
  curl -sS -m 10 -X "$method" -w ' %{http_code}' -H 'Authorization: Bearer t0ken' "$@" "$url$path" 2>&1
}

# field NAME TEXT: the value of the first such string in a JSON text
field() {
  printf '%s' "$2" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' | head -n 1
}

workspace=$(ask GET /api/v1/workspace/current)
check "GET /api/v1/workspace/current" '"external_id":"[0-9a-f-]{36}".* 200$' "$workspace"
ws=$(field external_id "$workspace")

check "401 without a token" '^\{"message":"Unauthorized"\} 401$' \
  "$(curl -sS -m 10 -w ' %{http_code}' "$url/api/v1/workspace/current")"
check "401 with a wrong one" '^\{"message":"Unauthorized"\} 401$' \
  "$(curl -sS -m 10 -w ' %{http_code}' -H 'Authorization: Bearer no' "$url/api/v1/workspace/current")"

# Calls
check "POST /endpoint/multiply" '^\{"result":42\} 200$' "$(ask POST /endpoint/multiply -d '{"x":21}')"
check "… /v1" '^\{"result":42\} 200$' "$(ask POST /endpoint/multiply/v1 -d '{"x":21}')"
check "… /latest, by query" '^\{"result":42\.0\} 200$' "$(ask POST '/endpoint/multiply/latest?x=21')"
check "a status of the handler's own" '^\{"message":"You need more tokens"\} 404$' "$(ask POST /endpoint/multiply -d '{"x":404}')"
check "200 with a ValidationError" '"error":"ValidationError".* 200$' "$(ask POST /endpoint/multiply -d '{"x":"a"}')"
check "400 for an array" '^\{"error":"invalid request payload"\} 400$' "$(ask POST /endpoint/multiply -d '[1]')"
check "by its label" '^\{"result":42\} 200$' \
  "$(ask POST / -H 'Host: multiply-1234567-v1.app.beam.localhost' -d '{"x":21}')"
check "POST /endpoint/multiply/warmup" '^ 200$' "$(ask POST /endpoint/multiply/warmup)"
check "GET /asgi/echo/health" '^ 200$' "$(ask GET /asgi/echo/health)"
check "a streamed answer" 'data: \{"data":"two"\}' "$(ask POST /endpoint/words -N -d '{}')"
check "X-Task-Id" '^X-Task-Id: [0-9a-f-]{36}' "$(ask POST /endpoint/multiply -d '{"x":1}' -D - | tr -d '\r' | sed 's/^x-task-id/X-Task-Id/')"

# Tasks
task=$(field task_id "$(ask POST /taskqueue/train -d '{"steps":3}')")
check "POST /taskqueue/train" '^[0-9a-f-]{36}$' "$task"
watched=$(ask GET "/api/v1/task/$ws/$task/subscribe" -N)
check "GET /api/v1/task/{ws}/{id}/subscribe" '"status":"COMPLETE"' "$watched"
check "… names its events" '^event: status$' "$watched"
shown=$(ask GET "/api/v1/task/$ws/$task")
check "GET /api/v1/task/{ws}/{id}" '"result":\{"steps":3\}.* 200$' "$shown"
check "GET /v2/task/{id}/" '"status":"COMPLETE".* 200$' "$(ask GET "/v2/task/$task/")"
output=$(printf '%s' "$shown" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p' | sed 's|\\/|/|g')
check "an output, without a token" '^weights$' "$(curl -sS -m 10 "$output")"
check "GET /api/v1/task/{ws}?status=" '"status":"COMPLETE".* 200$' "$(ask GET "/api/v1/task/$ws?status=COMPLETE&stub_types=taskqueue/deployment")"
check "GET /v2/task/" '"next":.* 200$' "$(ask GET '/v2/task/?limit=2')"
long=$(field task_id "$(ask POST /taskqueue/full -d '{}')")
check "429 beyond max_pending" '^\{"error":"exceeded max pending tasks: 1"\} 429$' "$(ask POST /taskqueue/full -d '{}')"
check "DELETE /api/v1/task/{ws}?task_ids=" '^\{\} 200$' "$(ask DELETE "/api/v1/task/$ws?task_ids=$long")"
check "… cancels" '"status":"CANCELLED".* 200$' "$(ask GET "/v2/task/$long/")"
long=$(field task_id "$(ask POST /taskqueue/full -d '{}')")
check "DELETE /v2/task/cancel/" '^\{\} 200$' "$(ask DELETE /v2/task/cancel/ -d "{\"task_ids\":[\"$long\"]}")"
check "… cancels" '"status":"CANCELLED".* 200$' "$(ask GET "/v2/task/$long/")"
pickle=$(field task_id "$(ask POST /function/pickle -d '{}')")
ask GET "/api/v1/task/$ws/$pickle/subscribe" -N >/dev/null
check "POST /function/pickle: a result as base64" '"result":\{"base64":"gARLKi4="\}' "$(ask GET "/v2/task/$pickle/")"
check "404 for a task that is not" '^\{"message":""\} 404$' "$(ask GET "/api/v1/task/$ws/none")"

# Logs, events, callbacks
check "GET /api/v1/logs/{ws}" '"logs":\[.* 200$' "$(ask GET "/api/v1/logs/$ws?object_type=task&object_id=$task")"
check "… of what is not there" '^\{"message":""\} 404$' "$(ask GET "/api/v1/logs/$ws?object_type=task&object_id=none")"
check "GET /api/v1/logs/{ws}/stream" '^: connected$' "$(ask GET "/api/v1/logs/$ws/stream?seq_num=0&wait=0")"
check "GET /api/v1/events/{ws}/tasks/{id}/stream" '^event: task.updated$' "$(ask GET "/api/v1/events/$ws/tasks/$task/stream?seq_num=0&wait=0")"
last=$(ask GET "/api/v1/events/$ws/stream?seq_num=0&wait=0" | sed -n 's/^id: //p' | tail -n 1)
check "… goes on behind Last-Event-ID" '^1$' "$(ask GET "/api/v1/events/$ws/stream?wait=0" -H "Last-Event-ID: $((last - 1))" | grep -c '^id:')"
check "GET /api/v1/token/{ws}/signing-key" '^\{"signing_key":"[0-9a-f]{64}"\} 200$' "$(ask GET "/api/v1/token/$ws/signing-key")"

# Volumes
check "POST /volume/{ws}/create/{name}" '"name":"data".* 200$' "$(ask POST "/volume/$ws/create/data")"
check "PUT /volume/{ws}/upload/{path}" '^null 200$' "$(ask PUT "/volume/$ws/upload/data/a/b.txt" -d 'some text')"
check "GET /volume/{ws}/download/{path}" '^some text 200$' "$(ask GET "/volume/$ws/download/data/a/b.txt")"
check "… from a byte on" '^text 206$' "$(ask GET "/volume/$ws/download/data/a/b.txt" -H 'Range: bytes=5-')"
check "GET /volume/{ws}" '"size":9.* 200$' "$(ask GET "/volume/$ws")"
check "GET /volume/{ws}/ls/{path}" '"path":"a\\?/b.txt".* 200$' "$(ask GET "/volume/$ws/ls/data/a")"
there=$(ask GET "/volume/$ws/generate-upload-url/data/c.txt" | sed 's|\\/|/|g; s/^"//; s/" 200$//')
check "GET /volume/{ws}/generate-upload-url/{path}" '^ 200$' "$(curl -sS -m 10 -w ' %{http_code}' -X PUT -d 'more' "$there")"
there=$(ask GET "/volume/$ws/generate-download-url/data/c.txt" | sed 's|\\/|/|g; s/^"//; s/" 200$//')
check "GET /volume/{ws}/generate-download-url/{path}" '^more 200$' "$(curl -sS -m 10 -w ' %{http_code}' "$there")"
key=$(ask GET "/volume/$ws/generate-download-token/data/c.txt" | sed 's/^"//; s/" 200$//')
check "GET /volume/{ws}/download-with-token/{path}" '^more 200$' "$(curl -sS -m 10 -w ' %{http_code}' "$url/volume/$ws/download-with-token/data/c.txt?token=$key")"
check "POST /api/v1/gateway/volumes/{path}/move" '"ok":true.* 200$' \
  "$(ask POST "/api/v1/gateway/volumes/data%2Fc.txt/move" -d '{"new_path":"data/d.txt"}')"
check "PATCH /volume/{ws}/mv/{path} moves nothing" '^ 200$' "$(ask PATCH "/volume/$ws/mv/data/d.txt")"
check "DELETE /volume/{ws}/rm/{path}" '^null 200$' "$(ask DELETE "/volume/$ws/rm/data/d.txt")"
check "… leads nowhere else" '^\{"message":"[^"]*must provide volume name"\} 500$' "$(ask GET "/volume/$ws/download/data/../../etc" --path-as-is)"

# Containers
container=$(field container_id "$(ask GET "/api/v1/container/$ws")")
check "GET /api/v1/container/{ws}" '^[a-z]+-[0-9a-f-]{36}-' "$container"
check "GET /api/v1/container/{ws}/{id}" '"status":"RUNNING".* 200$' "$(ask GET "/api/v1/container/$ws/$container")"
check "POST /api/v1/container/{ws}/{id}/stop" '^ 200$' "$(ask POST "/api/v1/container/$ws/$container/stop")"
check "… is gone" '^\{"message":"Invalid container id"\} 400$' "$(ask GET "/api/v1/container/$ws/$container")"

# Deployments
list=$(ask GET "/api/v1/deployment/$ws?name=multiply")
check "GET /api/v1/deployment/{ws}" '^\[\{.*"stub_type":"endpoint\\?/deployment".* 200$' "$list"
check "… in pages" '"next":"[^"]+".* 200$' "$(ask GET "/api/v1/deployment/$ws?pagination=true&limit=2")"
check "… /latest" '"data":\[.* 200$' "$(ask GET "/api/v1/deployment/$ws/latest")"
id=$(curl -sS -m 10 -H 'Authorization: Bearer t0ken' "$url/api/v1/deployment/$ws?name=multiply" |
  lua5.4 -e 'local d = require("cjson").decode(io.read "a")[1] print(d.id, d.stub_id)')
stub=${id#*	} id=${id%	*}
check "GET /api/v1/deployment/{ws}/{id}" '"name":"multiply".* 200$' "$(ask GET "/api/v1/deployment/$ws/$id")"
check "GET /api/v1/deployment/{id}/url" 'endpoint\\?/multiply\\?/v1"\} 200$' "$(ask GET "/api/v1/deployment/$id/url")"
check "GET /api/v1/stub/{id}/url" "id\\\\?/$stub\"\\} 200\$" "$(ask GET "/api/v1/stub/$stub/url")"
check "POST /endpoint/id/{stub}" '^\{"result":42\} 200$' "$(ask POST "/endpoint/id/$stub" -d '{"x":21}')"
check "POST /endpoint/public/{stub}, without a token" '^\{"result":42\}$' "$(curl -sS -m 10 -d '{"x":21}' "$url/endpoint/public/$stub")"

check "POST /api/v1/gateway/deployments/{id}/scale" '"ok":false.* 200$' "$(ask POST "/api/v1/gateway/deployments/$id/scale" -d '{"containers":2}')"

echo "1..$count"
exit $((failed > 0))
