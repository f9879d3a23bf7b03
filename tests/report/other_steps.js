report("sections", [...document.querySelectorAll("section")].map((section) => section.id));
report("rows", document.querySelectorAll("#table tr.row").length);
report("pictures", [...document.querySelectorAll("#table img")].map((image) => image.alt));
report("spans", document.querySelectorAll("#series svg")[0]?.querySelectorAll(".span").length);
const filter = document.getElementById("filter");
const counts = {};
for (const option of filter ? filter.options : []) {
  filter.value = option.value;
  filter.dispatchEvent(new Event("change"));
  counts[option.value] = document.getElementById("status").textContent;
}
report("counts", counts);
const slider = document.getElementById("threshold");
slider.value = Math.floor(slider.max / 2);
slider.dispatchEvent(new Event("input"));
report("place", Number(slider.value));
report("spans after", document.querySelectorAll("#series svg")[0]?.querySelectorAll(".span").length);
document.getElementById("reset").click();
report("spans at last", document.querySelectorAll("#series svg")[0]?.querySelectorAll(".span").length);
