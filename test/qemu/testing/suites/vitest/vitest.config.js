// Two projects with a file that both have. In one of them every test that fails is tried twice.
const project = (name, include, retry) => ({
  test: { name, include, root: import.meta.dirname, pool: 'forks', retry },
})

export default {
  test: {
    projects: [project('one', ['same.js', 'other.js'], 1), project('two', ['same.js'], 0)],
  },
}
