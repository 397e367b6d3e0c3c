// A DNS forwarder with names of its own, and a question to it.
import { describeAnswer, lookUp, openDns } from 'xcluster/dns'

await using dns = await openDns({ listen: ['127.0.0.1:0'], upstreams: [] })
dns.setHosts({ hosts: [{ name: 'vm-001', addresses: ['192.0.2.1', '2001:db8::1'] }] })

const answer = await lookUp({ name: 'vm-001', type: 'AAAA', server: `127.0.0.1:${dns.port}` })
console.log(
  describeAnswer(answer)
    ?.records.map(({ type, data }) => `${type} ${data}`)
    .join(),
)
