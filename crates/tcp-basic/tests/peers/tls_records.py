"""Finds the TLS records in what a relay took from the server: the header of each, and the length in its last two bytes."""
import base64
import json
import sys

events = [json.loads(line) for line in open(sys.argv[1])]
server = next(event["conn"] for event in events if event["call"] == "connect")
taken = [event for event in events if event["call"] == "recv" and event["conn"] == server]
stream = b"".join(base64.b64decode(event.get("data", "")) for event in taken)
print("%d recvs, the largest of %d bytes" % (len(taken), max(event["got"] for event in taken)))
print("offset   header           length")
offset = 0
while offset < len(stream):
    header = stream[offset : offset + 5]
    length = int.from_bytes(header[3:], "big")
    print("%5d    %s   %6d" % (offset, header.hex(" "), length))
    offset += 5 + length
