"""Called by mdBook: makes links that leave docs/src lead to the repository.

In a repository browser, `../../crates/proto` is a folder of the same repository. The built book has no such folder.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

LINK = re.compile(r"\]\((\.\./[^)\s]+)\)")


def main():
    if sys.argv[1:2] == ["supports"]:
        return  # every kind of output: that's what exit code 0 says
    context, book = json.load(sys.stdin)
    repository = context["config"]["output"]["html"]["git-repository-url"]
    for item in book["items"]:
        rewrite(item, Path(context["root"]).parent, repository)
    json.dump(book, sys.stdout)


def rewrite(item, root, repository):
    if not isinstance(item, dict) or "Chapter" not in item:
        return  # a separator, or the title of a part
    chapter = item["Chapter"]
    folder = posixpath.join("docs/src", posixpath.dirname(chapter["path"] or ""))

    def outside(link):
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        if path.startswith("docs/src/"):
            return link[0]
        kind = "tree" if (root / path).is_dir() else "blob"
        return f"]({repository}/{kind}/main/{path})"

    # Every second piece is a fenced block.
    pieces = re.split(r"(^ *```.*?^ *```$)", chapter["content"], flags=re.MULTILINE | re.DOTALL)
    pieces[::2] = [LINK.sub(outside, piece) for piece in pieces[::2]]
    chapter["content"] = "".join(pieces)
    for sub_item in chapter["sub_items"]:
        rewrite(sub_item, root, repository)


main()
