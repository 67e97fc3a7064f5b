// Every page works without this file. It adds a button that hides what is typed, and fits the frame of a message to its height.
for (const field of document.querySelectorAll("input[data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toggle";
  const row = document.createElement("div");
  row.className = "beside";
  field.replaceWith(row);
  row.append(field, button);
  const label = () => { button.textContent = field.type === "text" ? field.dataset.hide : field.dataset.show; };
  button.addEventListener("click", () => {
    field.type = field.type === "text" ? "password" : "text";
    label();
    field.focus();
  });
  label();
  if (field.autofocus) field.focus();
}

for (const frame of document.querySelectorAll("iframe")) {
  const fit = () => {
    const root = frame.contentDocument && frame.contentDocument.documentElement;
    // Not scrollHeight: that is never less than the frame, which would grow with each call.
    if (root) frame.style.height = Math.min(root.offsetHeight + 4, 20000) + "px";
  };
  frame.addEventListener("load", fit);
  addEventListener("resize", fit);
  fit();
}
