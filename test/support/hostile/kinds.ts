/** A guest that does not keep to the rules, and what it needs for that: a script for `/bin/sh` in the guest. */
export interface HostileKind {
  readonly name: string
  /** Runs as root in the guest, and ends at once. What it leaves prints {@link armed} on the console, then attacks. */
  readonly script: string
  /** The VM ends by the attack. */
  readonly ends?: true
  /** What the guest's kernel then prints on its console. */
  readonly shows?: string
}

/** What a guest prints before its attack. */
export const armed = 'hostile: armed'

/** What a terminal would obey: a title, the clipboard, colours, a cleared screen, a forged line, reordered text. */
const escapes =
  '\\033]0;owned\\007\\033]52;c;b3duZWQ=\\007\\033[31m\\033[2J\\033[Hxc: forged\\r\\n\\302\\2332J\\342\\200\\256gpj\\177'

/**
 * Takes the place of a program that init starts on a virtio port: init starts this one instead when the other ends.
 * File descriptor 3 is the port.
 */
function onPort(program: string, port: string, body: string): string {
  return `cat >${program}.new <<'END'
#!/bin/sh
[ "$1" = --console ] && exec sleep 1000000
exec 3<>"${port}"
announce() { echo '${armed}' >/dev/ttyS0; }
${body.includes('announce') ? '' : 'announce'}
${body}
END
chmod +x ${program}.new
cp ${program} ${program}.itself
mv ${program}.new ${program}
(sleep 1; kill $(pidof ${program.replace(/.*\//, '')})) >/dev/null 2>&1 </dev/null &
`
}

const agent = (name: string, body: string): HostileKind => ({
  name: `agent ${name}`,
  script: onPort('/usr/sbin/qemu-ga', '$4', body),
})

const channel = (name: string, body: string): HostileKind => ({
  name: `channel ${name}`,
  script: onPort('/sbin/xcluster-guest', '$1', body),
})

/** Writes frames (docs/guest-channel.md); the payload is a format of printf. */
const frames = `
u16() { printf "\\\\$(printf %03o $(($1 & 255)))\\\\$(printf %03o $(($1 >> 8 & 255)))"; }
u32() { u16 $(($1 & 65535)); u16 $(($1 >> 16 & 65535)); }
frame() {
	length=$(printf "$4" | wc -c)
	{ u32 "$length"; u16 "$1"; u16 "$2"; u32 "$3"; printf "$4"; } >&3
}
opened() { frame 2 0 "$stream" '\\000\\000\\000\\000\\007\\000\\000\\000\\000\\000\\000\\000'; }
`

/** Says something for each frame that comes. */
const answering = (body: string): string => `${frames}
frame 10 0 0 0123456789abcdef
dd bs=16 count=1 <&3 >/dev/null 2>&1
announce
while :; do
	set -- $(dd bs=1 count=12 <&3 2>/dev/null | od -An -tu4)
	[ -n "$3" ] || sleep 1
	kind=$2 stream=$3
	dd bs=1 count="$1" <&3 >/tmp/asked 2>/dev/null
	${body}
done`

/** Answers questions alone (kind 11), with what `said` writes into /tmp/said, so often, and says that this was all. */
const lyingKernel = (said: string, times = '1') =>
  answering(`[ "$kind" = 11 ] || continue
	sequence=$(od -An -tu4 -j12 -N4 /tmp/asked)
	{ ${said}; } >/tmp/said
	for time in $(seq ${times}); do
		{ u32 $(wc -c </tmp/said); u16 11; u16 0; u32 "$stream"; cat /tmp/said; } >&3
	done
	frame 12 0 "$stream" '\\000\\000\\000\\000'`)

/** The head of a message of a listing (struct nlmsghdr): its length and type. */
const netlinkHead = (length: string, type: number) =>
  `u32 ${length}; u16 ${type}; u16 2; u32 $sequence; u32 0`

/** RTM_NEWLINK, RTM_NEWNSID (linux/rtnetlink.h). */
const [newLink, newNsid] = [16, 88]

/** The answer to a configuration whose first step failed, with words for a terminal. */
const failing = `'\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000${escapes.replaceAll('\\', '\\')}'`

const command = (name: string, body: string): HostileKind => ({
  name,
  script: `(sleep 1; echo '${armed}' >/dev/ttyS0; sleep 1; ${body}) >/dev/null 2>&1 </dev/null &\n`,
})

/** An agent that synchronises as qemu-ga does; `began` and `looked` are its answers to guest-exec and its status. */
const synchronising = (began: string, looked: string) => `
reply() { printf '{"return": %s, "id": %s}\\n' "$1" "$id" >&3; }
while read -r line <&3; do
	id=\${line##*\\"id\\":}
	id=\${id%%\\}*}
	case $line in
	*guest-sync-delimited*)
		number=\${line#*\\"arguments\\":\\{\\"id\\":}
		printf '\\377' >&3
		reply "\${number%%\\}*}"
		;;
	*guest-exec-status*) ${looked} ;;
	*guest-exec*) ${began} ;;
	esac
done`

const pid = `reply '{"pid": 7}'`
/** 40 MB of the same few characters. */
const much = (text: string) => `yes '${text}' | tr -d '\\n' | head -c 40000000 >&3`

/** A good guest, for comparison. */
export const goodKind: HostileKind = command('no attack', 'true')

export const hostileKinds: readonly HostileKind[] = [
  agent('is silent', 'exec cat <&3 >/dev/null'),
  agent(
    'sends wrong types',
    synchronising(`reply '{"pid": {"toString": 1}}'`, `reply '{"exited": "yes", "out-data": [[7]]}'`),
  ),
  agent(
    'sends unknown ids',
    `while read -r line <&3; do printf '{"return": {}, "id": 4711}\\n{"return": 7, "id": {"toString": 1}}\\n' >&3; done`,
  ),
  agent('sends half a line', `while read -r line <&3; do printf '{"return": {"exited": tr' >&3; done`),
  agent(
    'sends an endless line',
    synchronising(pid, `printf '{"return": {"exited": true, "out-data": "' >&3; yes QUJD | tr -d '\\n' >&3`),
  ),
  agent('nests deeply', synchronising(pid, `printf '{"return": ' >&3; ${much('[')}`)),
  agent('sends many values', synchronising(pid, `printf '{"return": [' >&3; ${much('{},')}`)),
  agent('floods newlines', `yes '' >&3`),
  agent(
    'refuses with escapes',
    synchronising(
      `printf '{"error": {"class": "GenericError", "desc": "\\\\u001b]0;owned\\\\u0007\\\\nxc: forged\\\\u202e"}, "id": %s}\\n' "$id" >&3`,
      ':',
    ),
  ),
  agent(
    'answers byte by byte',
    synchronising(pid, `reply '{"exited": true, "exitcode": 0}'`).replace(
      /reply\(\) .*/,
      `reply() { text="{\\"return\\": $1, \\"id\\": $id}"; while [ -n "$text" ]; do printf '%.1s' "$text" >&3; text=\${text#?}; usleep 100000; done; echo >&3; }`,
    ),
  ),
  channel('is silent', 'exec cat <&3 >/dev/null'),
  channel(
    'lies',
    answering(
      `frame 1 0 "$stream" ${failing}; frame 1 0 4711 ${failing}; frame 9 0 4711 '\\000\\000\\000\\000'`,
    ),
  ),
  channel('sends what nothing has credit for', answering(`opened; frame 3 0 "$stream" x`)),
  channel(
    'claims gigabytes',
    answering(`opened; printf '\\377\\377\\377\\377\\003\\000\\001\\000\\001\\000\\000\\000' >&3`),
  ),
  channel('takes no input and never ends', answering('[ "$kind" = 2 ] && opened')),
  channel(
    'restarts without end',
    `${frames}frame 10 0 0 0123456789abcdef 3>/tmp/one
for i in 1 2 3 4 5 6 7 8 9 10; do cat /tmp/one /tmp/one >/tmp/two; mv /tmp/two /tmp/one; done
while :; do cat /tmp/one >&3; done`,
  ),
  channel('floods', `yes 'lies and more lies' >&3`),
  channel('answers questions with garbage', lyingKernel('head -c 4000 /dev/urandom')),
  channel('answers with a message of gigabytes', lyingKernel(`${netlinkHead('4294967295', newLink)}; u32 0`)),
  channel(
    'answers without end',
    lyingKernel(
      `${netlinkHead('32', newLink)}; u32 0; u32 7; u32 0; u32 0; head -c 30000 /dev/zero`,
      '100000',
    ),
  ),
  channel('answers with what was not asked', lyingKernel(`${netlinkHead('20', newNsid)}; u32 0`)),
  command('console floods', `yes 'a line that a guest prints without end' >/dev/ttyS0`),
  command('console sends escapes', `while :; do printf '${escapes}'; done >/dev/ttyS0`),
  {
    ...command('guest panics', 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger'),
    ends: true,
    shows: 'Kernel panic',
  },
  { ...command('guest restarts', 'reboot -f'), ends: true, shows: 'Restarting system' },
  { ...command('guest halts', 'halt -f'), shows: 'System halted' },
]
