type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The same object without undefined values. */
export function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>
}

/** Some fields of an object: those that it has. */
export function picked<T extends object, K extends keyof T>(from: T, names: readonly K[]): Given<Pick<T, K>> {
  return given(Object.fromEntries(names.map(name => [name, from[name]])) as Pick<T, K>)
}
