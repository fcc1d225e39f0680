import socket,subprocess,time,sys
p=subprocess.Popen([sys.argv[1],"--listen","127.0.0.1:0"],stdout=subprocess.PIPE,text=True)
a=p.stdout.readline().split()[-1]; h,port=a.split(":")
s=socket.create_connection((h,int(port)))
cmd=b"head -c 16000000 /dev/zero"
import struct
s.sendall(struct.pack("<i",len(cmd))+cmd)
t=time.time()
c=socket.create_connection((h,int(port)))
c.sendall(b"\x07\0\0\0echo hi")
print(c.recv(100), time.time()-t)
p.terminate()
