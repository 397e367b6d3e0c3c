import { XclusterError } from '../base/index.ts'

/** There is no owner, or its answer cannot be understood. Errors that the owner reports are RemoteErrors. */
export class ClientError extends XclusterError {}

export function noCluster(name: string): ClientError {
  const start = name === 'default' ? 'xc start' : `xc start --name ${name}`
  return new ClientError({
    code: 'CLUSTER_MISSING',
    kind: 'missing',
    reason: `no cluster '${name}' is running`,
    remedy: `Start it with \`${start}\`, or list the running ones with \`xc ls\``,
  })
}
