import { readFileSync } from 'node:fs'
import { adoptStream } from '../../../src/sys/index.ts'

const port = adoptStream(3)
const session = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[3]
port.receive({
  data() {},
  end() {
    console.log('the other end has closed')
    process.exitCode = 7
    void port.close()
  },
})
port.send(Buffer.from(`${process.env.GREETING} ${process.argv[2]}, session ${session}`))
