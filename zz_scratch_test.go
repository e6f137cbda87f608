package restash_test
import ("testing";"fmt";"go/token";"sort";"strings";"os/exec";"math/rand";"os";"path/filepath")
func TestZZ(t *testing.T){
 out,_:=exec.Command("go","list","-f","{{.ImportPath}}","./...").Output()
 for _,p:=range strings.Fields(string(out)){
  dir:=strings.TrimPrefix(strings.TrimPrefix(p,"github.com/cldcde/restash"),"/")
  if dir==""{continue}
  fset:=token.NewFileSet()
  if strings.Contains(dir,"testdata") {continue}; m,_:=filepath.Glob(dir+"/*.go"); nn:=0; for _,x:=range m {if !strings.HasSuffix(x,"_test.go")&&!strings.HasSuffix(x,"doc.go"){nn++}}; if nn<3 {continue}; files:=packageFiles(t,fset,dir)
  if len(files)<3 {continue}
  g:=map[[2]string]map[string]int{}
  names:=map[string]bool{}
  for _,f:=range files{names[fileOf(fset,f.Pos())]=true}
  for use,o:=range packageUses(fset,dir,files){
   a,b:=fileOf(fset,use.Pos()),fileOf(fset,o.Pos())
   if a!=b { k:=[2]string{a,b}; if g[k]==nil{g[k]=map[string]int{}}; g[k][o.Name()]++}
  }
  var ns []string; for n:=range names{ns=append(ns,n)}; sort.Strings(ns)
  cost:=func(order []string)(int){ r:=map[string]int{}; for i,n:=range order{r[n]=i}; c:=0; for k,v:=range g{ if r[k[0]]>r[k[1]]{ for _,x:=range v{c+=x} } }; return c}
  best:=append([]string{},ns...); bc:=cost(best)
  for try:=0;try<6;try++{
   o:=append([]string{},ns...); rand.Shuffle(len(o),func(i,j int){o[i],o[j]=o[j],o[i]}); c:=cost(o)
   for imp:=true;imp;{ imp=false
    for i:=range o { bj,bcst:=-1,c
     x:=o[i]; rest:=append(append([]string{},o[:i]...),o[i+1:]...)
     for j:=0;j<=len(rest);j++{ cand:=append(append(append([]string{},rest[:j]...),x),rest[j:]...); if cc:=cost(cand);cc<bcst{bj,bcst=j,cc} }
     if bj>=0 { o=append(append(append([]string{},rest[:bj]...),x),rest[bj:]...); c=bcst; imp=true }
    }
   }
   if c<bc {bc=c; best=o}
   if len(ns)>40 && try>1 {break}
  }
  if w:=os.Getenv("ZZ"); w==dir { var ks [][2]string; for k:=range g{ks=append(ks,k)}; sort.Slice(ks,func(i,j int)bool{return ks[i][0]+ks[i][1]<ks[j][0]+ks[j][1]}); for _,k:=range ks{ if !strings.HasSuffix(k[0],"_gen"){fmt.Println("  G",k[0],"->",k[1],g[k])}} }
  fmt.Printf("%s files=%d back=%d\n   %s\n",dir,len(ns),bc,strings.Join(best," "))
  r:=map[string]int{}; for i,n:=range best{r[n]=i}
  for k,v:=range g{ if r[k[0]]>r[k[1]]{fmt.Println("     ",k[0],"->",k[1],v)} }
 }
}
