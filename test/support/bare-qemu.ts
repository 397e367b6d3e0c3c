import { closeSync } from 'node:fs'
import { connectQmp, type QmpClient } from '../../src/qmp/index.ts'
import { adoptStream, type Launched, launch, socketPair } from '../../src/sys/index.ts'

const file = '/usr/bin/qemu-system-x86_64'
const bare = ['-M', 'none', '-nodefaults', '-no-user-config', '-display', 'none']

/** Starts a QEMU without a machine, with only its monitor. */
export function launchBare(args: readonly string[], fds: readonly number[] = []): Launched {
  return launch({ file, args: [...bare, ...args], fds })
}

/** The same with its monitor on a socket pair. The caller closes the client and kills the process. */
export async function bareQemu(
  more: readonly string[] = [],
): Promise<{ process: Launched; client: QmpClient }> {
  const [ours, theirs] = socketPair()
  const monitor = ['-chardev', 'socket,id=m,fd=3', '-mon', 'chardev=m,mode=control']
  const process = launchBare([...monitor, ...more], [theirs])
  closeSync(theirs)
  return { process, client: await connectQmp(adoptStream(ours)) }
}

/** Kills it and waits until it has ended. */
export async function endBare({ process, client }: { process: Launched; client: QmpClient }): Promise<void> {
  await client.close()
  process.kill('SIGKILL')
  await process.exited
}
