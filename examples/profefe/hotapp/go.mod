module hotapp

go 1.26
