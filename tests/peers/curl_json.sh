#!/usr/bin/env bash
# The JSON door with nothing but curl: each call as a user would type it, and what has to come back.
#
#   tests/peers/curl_json.sh URL APIKEY ACCOUNT [NAME]
#
# It prints each call with its status and exits with 1 at the first that is not as the specification says.
set -euo pipefail
url=$1 key=$2 account=$3 name=${4:-curl}
answer=$(mktemp)
headers=$(mktemp)
trap 'rm -f "$answer" "$headers"' EXIT

# call STATUS METHOD PATH [curl arguments]
call() {
  local wanted=$1 method=$2 path=$3
  shift 3
  local status
  status=$(curl --silent --show-error --max-time 30 --output "$answer" --dump-header "$headers" --write-out '%{http_code}' \
    --request "$method" --header "Authorization: Bearer $key" "$@" "$url$path")
  echo "$method $path -> $status"
  if [ "$status" != "$wanted" ]; then
    echo "wanted $wanted, got: $(head -c 2000 "$answer")"
    exit 1
  fi
}

# field PATTERN: the first "internalId" (or another member) of the answer
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" <<<"$(tr -d '\n' <"$answer" | sed "s/\"$1\"/\n\"$1\"/g" | sed -n 2p)"; }

holds() {
  if ! grep --quiet --fixed-strings -- "$1" "$answer"; then
    echo "the answer does not hold $1: $(head -c 2000 "$answer")"
    exit 1
  fi
}

json=(--header 'Content-Type: application/json' --data)

call 200 GET /api/v1/openapi.json
holds '"openapi"'
call 200 GET "/api/v1/orgs/$account"

call 201 POST /api/v1/lists "${json[@]}" "{\"list\":{\"externalId\":\"$name people\"},\"owner\":{\"entityType\":\"Org\",\"internalId\":\"$account\"}}"
list=$(field internalId)
grep --quiet --ignore-case '^location: ' "$headers"
call 200 GET "/api/v1/lists/$list"
holds "$name people"

printf 'ClientID,FirstName,CellPhone\nJ-1,Ann,(202) 555-0151\nJ-2,Bo,12\n' >"$answer.csv"
trap 'rm -f "$answer" "$answer.csv" "$headers"' EXIT
call 202 POST "/api/v1/lists/$list:import" --header 'Content-Type: text/csv' --data-binary "@$answer.csv"
job=$(field internalId)
for _ in $(seq 100); do
  call 200 GET "/api/v1/jobs/$job"
  if grep --quiet -e '"state":"Done"' -e '"state": "Done"' "$answer"; then break; fi
  sleep 0.1
done
holds Done
call 200 GET "/api/v1/jobs/$job/result"
holds ',,rows,2'
holds ',,rejected,1'
call 200 GET "/api/v1/lists/$list/contacts?limit=10"
holds J-1

# The same key and body: the stored answer again. The same key and another body: refused.
body="{\"campaign\":{\"externalId\":\"$name campaign\"},\"org\":{\"internalId\":\"$account\"}}"
call 201 POST /api/v1/campaigns --header "Idempotency-Key: $name-1" "${json[@]}" "$body"
campaign=$(field internalId)
call 201 POST /api/v1/campaigns --header "Idempotency-Key: $name-1" "${json[@]}" "$body"
grep --quiet --ignore-case '^idempotency-replayed: true' "$headers"
[ "$(field internalId)" = "$campaign" ]
call 422 POST /api/v1/campaigns --header "Idempotency-Key: $name-1" "${json[@]}" "${body/campaign\"\}/other\"\}}"
holds IDEMPOTENCY_KEY_REUSED

call 200 GET "/api/v1/campaigns/$campaign"
call 409 POST /api/v1/campaigns "${json[@]}" "$body"
holds OBJECT_EXISTS
call 400 POST /api/v1/campaigns "${json[@]}" "{\"campaign\":{},\"org\":{\"internalId\":\"$account\"}}"
holds ATTRIBUTE_NULL
call 400 POST /api/v1/campaigns "${json[@]}" '{"campaign":'
holds MALFORMED
call 404 GET /api/v1/campaigns/999999999
holds OBJECT_NOT_EXISTS
key=wrong
call 401 GET "/api/v1/campaigns/$campaign"
echo ok
