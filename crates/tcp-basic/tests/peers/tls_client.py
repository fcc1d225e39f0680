"""Over TLS: prints what each recv returns, up to the end of the stream."""
import socket
import ssl
import sys

context = ssl.create_default_context(cafile="cert.pem")  # the only certificate that this client trusts
conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
with context.wrap_socket(conn, server_hostname="localhost") as secure:
    print(secure.version())
    while data := secure.recv(100_000):
        print(len(data), data[:10])
    secure.unwrap()
