// The monitor of a QEMU that runs already.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openQmp } from 'xcluster/qmp'

const folder = mkdtempSync(join(tmpdir(), 'example-'))
const socket = join(folder, 'qmp')
// With -daemonize it returns when the socket is there.
const options = ['-machine', 'none', '-nodefaults', '-display', 'none', '-daemonize']
spawnSync('qemu-system-x86_64', [...options, '-qmp', `unix:${socket},server=on,wait=off`], {
  stdio: 'ignore',
})
{
  await using monitor = await openQmp(socket)
  const { status } = await monitor.execute('query-status')
  const shutdown = monitor.once('SHUTDOWN') // first: events come before the reply that caused them
  await monitor.execute('quit')
  console.log(`it was ${status}, and shut down because of ${(await shutdown).data.reason}`)
}
rmSync(folder, { recursive: true })
