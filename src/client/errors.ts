import { XclusterError } from '../base/index.ts'

/** No owner to talk to, or one that cannot be understood. What the owner itself reports comes as RemoteError. */
export class ClientError extends XclusterError {}

export function noCluster(name: string): ClientError {
  const start = name === 'default' ? 'xc start' : `xc start --name ${name}`
  return new ClientError({
    code: 'CLUSTER_MISSING',
    kind: 'missing',
    reason: `no cluster '${name}' is running`,
    remedy: `Start it with \`${start}\`, or see with \`xc ls\` which ones run`,
  })
}
