import { dns64Prefix, dnsZones, domainName, ownRecords } from './dns-kinds.ts'
import { choice, nameServers, spoofedNames, text } from './kinds.ts'
import { always } from './setting.ts'

const onOff = choice('off', 'on')

/** The settings of the cluster's DNS forwarder. Those that `xc dns` has too are named as there, after `dns`. */
export const dnsSettings = {
  dns: always({
    variable: '__dns',
    kind: choice('on', 'off'),
    default: 'on',
    doc: 'DNS forwarder for the cluster',
  }),
  dnsUpstream: always({
    variable: '__dns_upstream',
    kind: nameServers,
    default: 'on',
    doc: 'name servers: on (from resolv.conf), off, or a list',
  }),
  dnsSpoof: always({
    variable: '__dns_spoof',
    kind: spoofedNames,
    default: [],
    doc: 'names to answer: NAME=ADDRESS,…; or a file like hosts(5)',
  }),
  dnsHosts: always({
    variable: '__dns_hosts',
    kind: text,
    default: '',
    doc: 'file of names to answer, like hosts(5)',
  }),
  dnsLog: always({ variable: '__dns_log', kind: text, default: '', doc: 'file for a log of all queries' }),
  dnsUpstreamCa: always({
    variable: '__dns_upstream_ca',
    kind: text,
    default: '',
    doc: "file of certificates for name servers over TLS; empty: Node's roots",
  }),
  domain: always({
    variable: '__domain',
    kind: domainName,
    default: '',
    doc: "domain of the nodes' names: lab.test makes vm-001.lab.test",
  }),
  dnsZone: always({
    variable: '__dns_zone',
    kind: dnsZones,
    default: [],
    doc: 'name servers of single domains: DOMAIN=ADDRESS,…',
  }),
  dnsPolicy: always({
    variable: '__dns_policy',
    kind: choice('sequential', 'random', 'fastest'),
    default: 'sequential',
    doc: 'which name server is asked first',
  }),
  dnsMixedCase: always({
    variable: '__dns_mixed_case',
    kind: onOff,
    default: 'off',
    doc: 'random capitals in queries to name servers',
    bare: 'on',
  }),
  dnsRebindProtection: always({
    variable: '__dns_rebind_protection',
    kind: onOff,
    default: 'off',
    doc: 'refuse private addresses from name servers',
    bare: 'on',
  }),
  dnsRecord: always({
    variable: '__dns_record',
    kind: ownRecords,
    default: [],
    doc: "records to answer: 'NAME [TTL] TYPE DATA; …'",
  }),
  dnsFilter: always({
    variable: '__dns_filter',
    kind: choice('off', 'aaaa', 'a'),
    default: 'off',
    doc: 'addresses to leave out of answers',
  }),
  dns64: always({
    variable: '__dns64',
    kind: dns64Prefix,
    default: 'off',
    doc: 'IPv6 addresses for IPv4 ones: off, on (64:ff9b::/96) or a NAT64 prefix',
    bare: 'on',
  }),
} as const
