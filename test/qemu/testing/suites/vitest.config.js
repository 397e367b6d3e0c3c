// For suites that are run by their names.
export default { test: { include: ['*.js'], pool: 'forks' } }
