// A cluster that is prepared once, and a fresh one like it for each test.
import { prepareCluster } from 'xcluster'

await using lab = await prepareCluster({ nvm: 1, nrouters: 0, smp: 1 }, async cluster => {
  await cluster.exec(1, 'echo prepared >/root/state', { check: true })
})

for (const test of ['first', 'second']) {
  await using cluster = await lab.fork()
  const { stdout } = await cluster.exec(1, 'cat /root/state', { encoding: 'utf8', check: true })
  console.log(`the ${test} test begins with: ${stdout.trim()}`)
  await cluster.exec(1, 'rm /root/state', { check: true })
}
