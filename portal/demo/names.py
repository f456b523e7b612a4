"""Names to invent people from: plain data. Whoever is called like this in truth is not meant."""

# Mainland China: surname first, pinyin and characters.
MAINLAND_SURNAMES = (
    "Wang 王|Li 李|Zhang 张|Liu 刘|Chen 陈|Yang 杨|Zhao 赵|Huang 黄|Zhou 周|Wu 吴|Xu 徐|Sun 孙|Hu 胡|Zhu 朱|Gao 高|"
    "Lin 林|He 何|Guo 郭|Ma 马|Luo 罗|Liang 梁|Song 宋|Zheng 郑|Xie 谢|Han 韩|Tang 唐|Feng 冯|Yu 于|Dong 董|Cheng 程|"
    "Cao 曹|Deng 邓|Peng 彭|Lü 吕|Su 苏|Jiang 蒋|Ding 丁|Wei 魏|Fan 范|Ouyang 欧阳"
)
MAINLAND_GIVEN = (
    "Jianguo 建国|Xiaoyan 晓燕|Zihan 子涵|Yuxuan 雨轩|Haoran 浩然|Xinyi 欣怡|Mengjie 梦洁|Zhiqiang 志强|Lili 丽丽|"
    "Jing 静|Wei 伟|Min 敏|Tao 涛|Yan 燕|Lei 磊|Fang 芳|Bo 波|Na 娜|Peng 鹏|Ying 颖|Ruoxi 若曦|Siyu 思雨|Jiayi 佳怡|"
    "Tianyu 天宇|Hongmei 红梅|Guoqing 国庆|Weiming 伟明|Shuqin 淑琴|Xuefei 雪飞|Yifan 一凡|Chenxi 晨曦|Junjie 俊杰|"
    "Meiling 美玲|Wenjing 文静|Qian 倩|Kai 凯|Hui 慧|Yuhang 宇航|Shanshan 珊珊|Dawei 大伟|Rong 蓉|Zhengyu 正宇|"
    "Lan 兰|Bin 斌|Xiaofeng 晓峰|Yawen 雅雯|Zixuan 子轩|Minghao 明浩|Qiuyue 秋月|Donglin 东林"
)
# Hong Kong: an English given name, a Cantonese surname and given name; characters that both scripts write alike.
HONG_KONG_SURNAMES = (
    "Chan 陈|Wong 黄|Lee 李|Cheung 张|Lau 刘|Leung 梁|Ho 何|Lam 林|Ng 吴|Yeung 杨|Tsang 曾|Tang 邓|Cheng 郑|Kwok 郭|"
    "Chow 周|Fung 冯|Mak 麦|Yip 叶|Tse 谢|Hui 许|Poon 潘|Szeto 司徒"
)
HONG_KONG_WOMEN = (
    "Amy|Vivian|Joyce|Fiona|Carmen|Winnie|Phoebe|Crystal|Queenie|Karen|Bonnie|Yvonne",
    "Wing-sze 咏诗|Mei-yee 美仪|Hoi-yan 凯欣|Suk-fan 淑芬|Yuk-lan 玉兰|Siu-ling 小玲|Man-wai 文慧|Pui-shan 佩珊|"
    "Lai-kuen 丽娟|Yan-ting 欣婷|On-kei 安琪|Sau-ching 秀贞",
)
HONG_KONG_MEN = (
    "Jason|Kelvin|Ricky|Dickson|Edwin|Alvin|Ivan|Desmond|Wilson|Anson|Terence|Raymond",
    "Ka-ming 家明|Chi-keung 志强|Tsz-kin 子健|Wai-man 伟文|Kwok-wing 国荣|Ho-yin 浩然|Kin-fai 建辉|Chun-hei 俊熙|"
    "Tak-wah 德华|Wing-fai 永辉|Siu-lun 小伦|Yat-fung 日丰",
)
# New York: names from everywhere, a Chinese one here and there.
NEW_YORK = (
    "José Ramírez|Zoë Lindqvist|Siobhán Kelly|Oluwaseun Adeyemi|Priya Raghunathan|Marcus Bell|Anna Kowalczyk|"
    "Thomas O'Hara|Nguyễn Thị Minh Anh|Rachel Steinberg|Dmitri Volkonsky|Chloé Beaumont|Ahmed El-Masry|Grace Whitfield|"
    "Luca Ferraro|Hannah Brandt|Jamal Washington|Sofía Castañeda|Ethan Park|Ingrid Sørensen|Tyrone Jeffers|Mei Tanaka|"
    "Patrick Delaney|Leila Haddad|Samuel Greenbaum|Olga Petrenko|Nathaniel Brooks|Aisha Rahman|Björn Åkesson|"
    "Camille Laurent|Victor Almeida|Rebecca Stone|Kwame Mensah|Julia Novák|Peter Van Houten|Deepak Chaudhary|"
    "Emily Carter|Francisco Núñez|Molly Sheridan|Andre Baptiste|Theodora Nikolaidis|Isaac Rosenthal"
)
NEW_YORK_CHINESE = (
    "Kevin Liu 刘凯文|Michelle Xu 许蜜雪|Stanley Ma 马思力|Angela Qian 钱安琪|Brian Shen 沈博安|Tiffany Guo 郭蒂芬"
)
LONGEST = "Maximiliana-Theodora Featherstonehaugh-Papadimitriou de los Santos y Villanueva"


def pairs(pool: str) -> list[tuple[str, str]]:
    """Return (Latin, characters) of each name in a pool. Characters are the last word if it is not Latin, else ""."""
    split = []
    for name in pool.split("|"):
        latin, _, last = name.rpartition(" ")
        split.append((latin, last) if latin and last[0] >= "一" else (name, ""))
    return split
