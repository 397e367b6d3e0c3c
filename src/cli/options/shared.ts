export const nameOption = [
  '--name <cluster>',
  "the cluster's name (default default) [XCLUSTER_NAME]",
] as const
export const timeoutOption = ['--timeout <seconds>', 'give up after this long'] as const
