/** A command for this cluster, as it is typed: `xc stop --name big`. */
export function commandFor(cluster: string, words: string): string {
  return `xc ${words}${cluster === 'default' ? '' : ` --name ${cluster}`}`
}
