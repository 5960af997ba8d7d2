import { Host } from "./host.ts"; import { play } from "./scenario.ts"; import { Vpc, makeCertificate } from "./vpc.ts";
let t=Date.now(); const lap=(w:string)=>{console.log(w, Date.now()-t); t=Date.now()};
const host = await Host.make(); lap("host"); await makeCertificate(); lap("cert");
const vpcs = await Promise.all([1,2].map((n)=>Vpc.make(n))); lap("vpcs");
for (const [kind,method,enter] of [["resolved","auto","nsenter"],["resolved","pin","setns"],["plain","overlay","setns"],["plain","auto","nsenter"]] as const) {
console.log(kind, method, await play(host,vpcs,{kind, nspin:`--method ${method} --enter ${enter}`}).catch((e)=>e)); lap("scenario"); }
process.exit(0);
