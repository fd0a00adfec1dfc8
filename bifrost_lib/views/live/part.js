// Parts of a page are drawn from the page itself, before Bokeh is there; when the server's come, they take them over.
window.bifrost = (() => {
  const modules = {}
  const drawn = [] // parts of the sketch that no component has taken over yet, in the order of the page
  const moves = [] // from the sketch to the page
  const LATEST_MS = 2000
  const SOON_MS = 700
  const LONGEST_REST_MS = 3000

  function part(tag, className, text, parent) {
    const made = document.createElement(tag)
    made.className = className
    if (text !== undefined) made.textContent = text
    parent.append(made)
    return made
  }

  // What a part draws: first what the page brought, then what its component says. What a reader chose meanwhile is told.
  function modelOf(values) {
    const handlers = []
    const chosen = new Set()
    let real = null
    const on = (names, then) => {
      for (const name of [names].flat()) {
        handlers.push([name, then])
        real?.on(name, then)
      }
    }
    const model = new Proxy({}, {
      get: (_, name) => (name === "on" ? on : (real ?? values)[name]),
      set: (_, name, value) => {
        if (real) real[name] = value
        else {
          values[name] = value
          chosen.add(name)
          call(name)
        }
        return true
      },
    })
    function call(wanted) { for (const [name, then] of handlers) if (name === wanted) then() }
    function become(other) {
      real = other
      for (const [name, then] of handlers) other.on(name, then)
      for (const name of Object.keys(values)) {
        if (chosen.has(name)) other[name] = values[name]
        else if (JSON.stringify(values[name]) !== JSON.stringify(other[name])) call(name)
      }
    }
    return { model, become, call }
  }

  function host(node, parent) {
    const { script, sheets } = modules[node.part]
    const root = parent.attachShadow({ mode: "open" })
    root.adoptedStyleSheets = sheets
    const one = { name: node.part, own: modelOf(node.model), isFigure: script.toString().includes("window.Bokeh") }
    one.box = script({ model: one.own.model })
    drawn.push(one)
    root.append(one.box)
  }

  function node(given, parent) {
    const made = part("div", "", undefined, parent)
    made.style.cssText = given.css
    if (given.box) {
      made.classList.add("sketch", given.box)
      for (const one of given.parts) node(one, made)
    } else if (given.part) host(given, made)
    else if (given.label) {
      made.classList.add("field")
      part("span", "label", given.label, made)
      part("span", "value", given.value, made)
    } else if (given.button) part("span", "value button", given.button, made)
    else if (given.blank) made.classList.add("blank")
  }

  function settle() {
    const sketch = document.getElementById("bf-sketch")
    if (!sketch) return
    for (const [one, holder] of moves.splice(0)) {
      holder.append(one.box)
      one.own.call("after_render")
    }
    for (const one of drawn.splice(0)) one.own.call("remove")
    document.getElementById("bf-page").style.visibility = ""
    sketch.remove()
  }

  // What a component calls to be drawn.
  function draw(name, model) {
    const place = drawn.findIndex((one) => one.name === name)
    if (place < 0) return modules[name].script({ model })
    const [one] = drawn.splice(place, 1)
    const holder = document.createElement("div")
    holder.style.display = "contents"
    one.own.become(model)
    moves.push([one, holder])
    if (!drawn.length) requestAnimationFrame(settle)
    return holder
  }

  function load(url) {
    return new Promise((done, failed) => {
      const script = document.createElement("script")
      script.src = url
      script.async = false
      script.onload = done
      script.onerror = failed
      document.head.append(script)
    })
  }

  // Scripts come once what is drawn has been painted; a tab in the background never paints.
  const painted = () => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done))
    setTimeout(done, 300)
  })

  // A machine that took long to paint is busy with pages that were opened at the same moment: before the large scripts
  // of this one it paints theirs. The server says how many came before, each of whom it serves in turn.
  function rest(wait_ms) {
    const late_ms = Math.min(performance.now() - SOON_MS, LONGEST_REST_MS)
    return new Promise((done) => setTimeout(done, Math.max(late_ms, wait_ms)))
  }

  async function open(tree, scripts, item, wait_ms) {
    node(tree, document.getElementById("bf-sketch"))
    for (const one of drawn) one.own.call("after_render") // now that everything has its place
    await painted()
    await rest(wait_ms)
    const figures = drawn.filter((one) => one.isFigure)
    if (figures.length) { // they want Bokeh alone
      const first = scripts.findIndex((url) => url.includes("/bokeh.min.js"))
      await load(scripts.splice(first, 1)[0])
      for (const one of figures) { // each is seen before the next is drawn
        one.own.call("item")
        await painted()
      }
    }
    try {
      await Promise.all(scripts.map(load))
      const [views] = await window.Bokeh.embed.embed_items({}, [item])
      const [view] = [...views]
      view.model.document.on_event("connection_lost", lost)
    } catch (problem) {
      console.error(problem)
    }
    if (document.getElementById("bf-page").childElementCount) setTimeout(settle, LATEST_MS)
    else part("p", "broken", "This page does not follow the data: it could not be completed. Load it again.", document.body)
  }

  // What is shown grows older from now on, which its badge tells. A server that was started again knows nothing of this
  // page, so it is loaded again; viewers come back one after another.
  async function lost() {
    const told = "The connection is lost: what you see grows older. The page is loaded again once the server answers."
    part("p", "broken", told, document.body).setAttribute("role", "alert")
    for (;;) {
      await new Promise((done) => setTimeout(done, 1000 + 2000 * Math.random()))
      const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null)
      if (answer?.ok) break
    }
    location.reload()
  }

  function know(name, script, styles) {
    const sheets = styles.map((text) => {
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(text)
      return sheet
    })
    modules[name] = { script, sheets }
  }
  return { know, draw, open }
})()
