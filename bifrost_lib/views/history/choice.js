// One of several, as buttons; the arrow keys move it, as in any list of tabs.
export function render({ model }) {
  const list = document.createElement("div")
  list.className = "choice"
  list.setAttribute("role", "tablist")
  list.setAttribute("aria-label", model.label)
  function draw() {
    list.replaceChildren()
    for (const option of model.options) {
      const button = document.createElement("button")
      button.type = "button"
      button.textContent = option
      button.setAttribute("role", "tab")
      button.addEventListener("click", () => { model.value = option })
      list.append(button)
    }
    mark()
  }
  function mark() {
    for (const button of list.children) {
      const chosen = button.textContent === model.value
      button.classList.toggle("on", chosen)
      button.setAttribute("aria-selected", String(chosen))
      button.tabIndex = chosen ? 0 : -1
    }
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const count = model.options.length
    const place = (model.options.indexOf(model.value) + step + count) % count
    model.value = model.options[place]
    list.children[place].focus()
  })
  model.on("options", draw)
  model.on("value", mark)
  draw()
  return list
}
