#!/usr/bin/env bash
# Makes the book from the Markdown in docs/src. For a browser:
#
#   scripts/book.sh            builds it, serves it, and builds it again whenever a page changes, until you press Ctrl-C
#   scripts/book.sh --build    only builds it: docs/book/index.html needs no server
#
# On paper, or for an e-book reader:
#
#   scripts/book.sh --pdf      makes docs/unstuck.pdf, with weasyprint
#   scripts/book.sh --epub     makes docs/unstuck.epub, with pandoc
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

main() {
  case "$*" in
    "") serve ;;
    --build) build ;;
    --pdf) pdf ;;
    --epub) epub ;;
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
    *) complain "expected nothing, --build, --pdf or --epub, got: $*" ;;
  esac
}

serve() {
  local port=3000
  prepare
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "book.sh: the book will be at http://127.0.0.1:$port in a moment; Ctrl-C stops it"
  exec mdbook serve docs --hostname 127.0.0.1 --port "$port"
}

build() {
  prepare
  MDBOOK_LOG=warn mdbook build docs
  echo "docs/book/index.html"
}

# pdf and epub start from the page that mdBook makes for printing, because every link in it already leads to a place in the
# same document.
pdf() {
  need weasyprint "apt-get install weasyprint, or pip install weasyprint"
  build
  weasyprint --quiet --media-type print docs/book/print.html docs/unstuck.pdf
  echo "docs/unstuck.pdf"
}

epub() {
  local title
  need pandoc "apt-get install pandoc, or see https://pandoc.org"
  build
  title=$(sed -n 's/^title = "\(.*\)"/\1/p' docs/book.toml)
  # For pandoc, a chapter begins at a heading of the first level, but not if the heading is inside an element.
  # In a reader of e-books, nothing is folded: what could be opened becomes a heading and a quotation.
  sed -n '/<main>/,/<\/main>/p' docs/book/print.html |
    sed 's|</\{0,1\}main>||; s|<div style="break-before[^>]*></div>||' |
    sed 's|<details[^>]*>|<blockquote>|; s|</details>|</blockquote>|; s|<summary>|<p><strong>|; s|</summary>|</strong></p>|' |
    pandoc --from html --to epub3 --resource-path docs/book --css docs/theme/epub.css --toc-depth 2 \
      --metadata lang=en --metadata title="$title" --output docs/unstuck.epub
  echo "docs/unstuck.epub"
}

# Makes what mdbook needs, and checks that the tools are there.
prepare() {
  [[ $(mdbook --version 2>/dev/null) == "mdbook v0.5."* ]] || complain "mdBook 0.5 is not installed: cargo install --locked mdbook --version '^0.5'"
  need python3 "see https://python.org"
  scripts/playground.sh
}

need() {
  command -v "$1" >/dev/null || complain "$1 is not installed: $2"
}

complain() {
  echo "book.sh: $1" >&2
  exit 1
}

main "$@"
