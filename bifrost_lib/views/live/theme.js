window.bifrostTheme = bifrostThemes((theme) => { // charts are coloured by the server, once
  if (theme !== document.documentElement.dataset.theme && document.cookie.includes(`bf-theme=${theme}`)) location.reload()
})
