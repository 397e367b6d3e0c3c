/** A command line for this cluster: `xc stop --name big`. */
export function commandFor(cluster: string, words: string): string {
  return `xc ${words}${cluster === 'default' ? '' : ` --name ${cluster}`}`
}
