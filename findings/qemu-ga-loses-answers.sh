#!/bin/sh
# qemu-guest-agent 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3): answers are lost when the next command has begun to arrive.
#
# Expected: commands with ids that are sent without waiting are all answered, in order (QEMU's own monitor does that;
# docs/interop/qemu-ga-ref has no rule that a client must wait; every command here is answered when it is sent alone).
# What happens: of four commands of 6 KB each, sent one after another without waiting, the agent carries out all, as its
# log shows, and only some of the answers leave it. It goes on answering later commands. Short commands that arrive whole
# in one read are all answered.
#
# Downloads the agent and its libraries from Debian into a temporary directory and runs it on a pseudoterminal.
# Needs apt, dpkg and python3. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q qemu-guest-agent=1:7.2+dfsg-7+deb12u18+b3 libglib2.0-0 liburing2 libnuma1 libpcre2-8-0 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" root; done
cat >drive.py <<'END'
import json, os, pty, select, subprocess, time, tty

ours, theirs = pty.openpty()
tty.setraw(theirs)
libraries = ':'.join(f'root/{place}/x86_64-linux-gnu' for place in ('usr/lib', 'lib'))
agent = subprocess.Popen(
    ['root/usr/sbin/qemu-ga', '--method=isa-serial', f'--path={os.ttyname(theirs)}', '--pidfile=pid', '--statedir=.', '-v'],
    env={'LD_LIBRARY_PATH': libraries}, stdout=subprocess.DEVNULL, stderr=open('log', 'w'))

def answers(seconds):
    text, end = b'', time.time() + seconds
    while time.time() < end:
        if select.select([ours], [], [], 0.1)[0]:
            text += os.read(ours, 65536)
    return [line for line in text.split(b'\n') if line]

def send(*commands):
    text = b''.join(json.dumps(command).encode() + b'\n' for command in commands)
    while text:
        text = text[os.write(ours, text[:2048]):]

def opening(number):
    return {'execute': 'guest-file-open', 'arguments': {'path': '/nowhere/' + 'x' * 6000}, 'id': number}

try:
    time.sleep(0.5)
    send({'execute': 'guest-sync', 'arguments': {'id': 1}})
    assert answers(0.5) == [b'{"return": 1}']
    alone = 0
    for number in range(4):
        send(opening(number))
        alone += len(answers(0.7))
    send(*(opening(number) for number in range(10, 14)))
    together = len(answers(3))
    carried_out = open('log').read().count('sending data') - 1 - alone
    send({'execute': 'guest-ping', 'id': 99})
    later = answers(1)
    print(f'one at a time: {alone} of 4 answered; without waiting: {together} of 4 answered, {carried_out} answers in its log')
    print(f'a later command: {len(later)} of 1 answered')
    raise SystemExit(0 if alone == 4 and together < 4 and carried_out == 4 and len(later) == 1 else 1)
finally:
    agent.kill()
    agent.wait()
END
python3 drive.py
