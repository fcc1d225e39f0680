"""Over TLS: sends `hello`, `hi` and 20,000 letters in three sends, and ends the conversation."""
import socket
import ssl
import sys

context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("cert.pem", "key.pem")
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
with context.wrap_socket(conn, server_side=True) as secure:
    for message in [b"hello", b"hi", b"x" * 20000]:
        secure.sendall(message)
    secure.unwrap()  # "that was all", inside the encryption; then it waits for the client's
