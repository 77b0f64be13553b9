{
  const { message, ancestors } = document.currentScript.dataset;
  const told = JSON.parse(message);
  const tell = (message) => {
    if (parent === self) return;
    for (const ancestor of ancestors.split(" ")) {
      parent.postMessage(message, ancestor);
    }
  };
  tell(told);
  addEventListener("porthole-ready", () => {
    const { retryAfterSec: _, ...rest } = told;
    tell({ ...rest, state: "ready", code: null });
  });
}
