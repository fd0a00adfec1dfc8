// A Bokeh figure drawn from its text: it lives in the browser alone, so a viewer costs the server nothing. Without Bokeh
// it is only a picture, and is drawn again when Bokeh has come.
export function render({ model }) {
  const box = document.createElement("div")
  box.className = "box chart"
  let views = null
  let drawn = 0

  function forget() {
    if (!views) return
    const documents = window.Bokeh.documents
    for (const view of [...views]) {
      const place = documents.indexOf(view.model.document)
      if (place >= 0) documents.splice(place, 1)
    }
    views.clear()
    views = null
  }
  async function draw() {
    const turn = ++drawn
    const item = model.item ? JSON.parse(model.item) : null
    if (!item || item.notice) {
      forget()
      box.replaceChildren()
      if (item) tell(item.notice)
      return
    }
    const place = document.createElement("div")
    place.className = "figure"
    box.append(place) // over what is there, until it is drawn
    if (!window.Bokeh) {
      if (box.isConnected) await sketchFigure(item, JSON.parse(model.data), place)
      if (turn === drawn) clear(place)
      return
    }
    const made = await window.Bokeh.embed.embed_item(item, place)
    if (turn !== drawn) {
      made.clear()
      place.remove()
      return
    }
    forget()
    views = made
    box.dataset.drawn = String(turn)
    fill()
    requestAnimationFrame(() => clear(place))
  }
  function clear(place) {
    while (place.parentNode === box && box.firstChild !== place) box.firstChild.remove()
  }
  function tell(notice) {
    const p = document.createElement("p")
    p.className = `notice ${notice.kind}`
    p.setAttribute("role", notice.kind === "error" ? "alert" : "status")
    p.textContent = notice.text
    box.append(p)
  }
  function fill() {
    if (!views) return
    for (const [name, attributes] of Object.entries(JSON.parse(model.data))) {
      for (const view of [...views]) view.model.document.get_model_by_name(name)?.setv(attributes)
    }
  }
  model.on("item", draw)
  model.on("data", fill)
  model.on("remove", forget)
  model.on("after_render", () => { if (!window.Bokeh) draw() })
  draw()
  return box
}
