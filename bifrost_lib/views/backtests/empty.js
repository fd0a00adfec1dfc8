// What stands where there is nothing to show yet: why, and what to do about it, in the page or in a terminal.
export function render({ model }) {
  const box = document.createElement("section")
  function part(tag, text) {
    if (!text) return
    const made = document.createElement(tag)
    made.textContent = text
    box.append(made)
    return made
  }
  function draw() {
    const { kind = "empty", title = "", text = "", commands = [] } = model.state
    box.className = `nothing ${kind}`
    box.setAttribute("role", kind === "error" ? "alert" : "status")
    box.replaceChildren()
    part("h2", title)
    part("p", text)
    for (const command of commands) part("code", command).tabIndex = 0
  }
  model.on("state", draw)
  draw()
  return box
}
