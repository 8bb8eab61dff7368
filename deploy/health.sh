#!/bin/bash
# health.sh PORT [PATH]: is it HTTP 200? Without a path: does a broker answer AMQP's protocol header? For health checks in
# images without an HTTP client; cheap, because it runs every few seconds.
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
if [ $# -gt 1 ]; then
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  read -r -t 15 _ status _ <&3 && [ "$status" = 200 ]
else
  printf 'AMQP\0\0\011\001' >&3
  read -r -t 15 -n 1 -d '' first <&3 && [ "$first" = $'\001' ]  # a method frame: Connection.Start
fi
