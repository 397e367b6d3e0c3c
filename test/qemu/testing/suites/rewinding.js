// A program that rewinds a fork twice, and ends without closing anything that it need not.
import assert from 'node:assert/strict'
import { prepareCluster } from 'xcluster'

const lab = await prepareCluster({ nvm: 1, nrouters: 0, smp: 1 }, undefined, { spare: 1 })
let cluster = await lab.fork()
for (let turn = 1; turn <= 2; turn++) {
  await cluster.exec(1, 'touch /root/used', { check: true })
  cluster = await cluster.rewind()
  assert.notEqual((await cluster.exec(1, 'test -e /root/used')).status, 0)
}
await cluster.rewind()
await lab.dispose()
console.log('rewound')
