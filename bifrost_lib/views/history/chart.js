// A Bokeh figure drawn from its text: it lives in the browser alone, so a viewer costs the server nothing.
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
    forget()
    box.replaceChildren()
    if (!model.item) return
    const item = JSON.parse(model.item)
    if (item.notice) {
      const p = document.createElement("p")
      p.className = `notice ${item.notice.kind}`
      p.setAttribute("role", item.notice.kind === "error" ? "alert" : "status")
      p.textContent = item.notice.text
      box.append(p)
      return
    }
    const place = document.createElement("div")
    place.className = "figure"
    box.append(place)
    const made = await window.Bokeh.embed.embed_item(item, place)
    if (turn === drawn) views = made
    else made.clear()
    box.dataset.drawn = String(turn)
    fill()
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
  draw()
  return box
}
