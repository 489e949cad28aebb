/* The portal: says which broker this is. */
const answer = await fetch("/v1/broker");
const { broker } = await answer.json();
document.getElementById("broker").textContent = broker;
